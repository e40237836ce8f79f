#include "runtime/data/DataReader.h"

#include "runtime/data/CsvFields.h"
#include "runtime/data/Idx.h"

#include <stdexcept>

namespace gradus {

DataReader::DataReader(DataInfo info, DataFolder folder,
                       std::optional<ClassNames> names)
    : declaration(std::move(info)), folder(std::move(folder)),
      labelsKnown(names.has_value()) {
  if (names)
    labels = std::move(*names);
}

const Split &DataReader::trainingSplit() const {
  for (const Split &split : declaration.splits)
    if (split.name == "train")
      return split;
  return declaration.splits.at(0);
}

const CsvTable &DataReader::table(const CsvSource &source) {
  std::string path = folder.resolve(source.file);
  std::unique_ptr<CsvTable> &slot = tables[{path, source.header}];
  if (!slot)
    slot = std::make_unique<CsvTable>(path, readDataFile(path), source.header);
  return *slot;
}

void DataReader::numberLabels() {
  if (labelsKnown)
    return;
  labelsKnown = true;
  const auto *source = std::get_if<CsvSource>(&trainingSplit().source);
  if (!source)
    return;
  for (const Field &field : declaration.fields) {
    if (!field.classes)
      continue;
    const CsvTable &rows = table(*source);
    std::vector<std::string> names =
        textLabels(rows, field, fieldColumns(rows, *source, field),
                   splitRows(rows, *source));
    if (!names.empty())
      labels[field.name] = std::move(names);
  }
}

Dataset DataReader::readCsv(const Split &split, const CsvSource &source) {
  numberLabels();
  const CsvTable &from = table(source);
  std::vector<size_t> rows = splitRows(from, source);
  Dataset result{declaration.name,
                 split.name,
                 int64_t(rows.size()),
                 declaration.fields,
                 {}};
  static const std::vector<std::string> noNames;
  for (const Field &field : declaration.fields) {
    auto names = labels.find(field.name);
    result.values.push_back(csvValues(
        from, field, fieldColumns(from, source, field), rows,
        names == labels.end() ? noNames : names->second, source.missing));
  }
  return result;
}

Dataset DataReader::readIdxFiles(const Split &split, const IdxSource &source) {
  Dataset result{declaration.name, split.name, 0, declaration.fields, {}};
  for (const Field &field : declaration.fields) {
    const std::string *file = nullptr;
    for (const auto &[name, path] : source.files)
      if (name == field.name)
        file = &path;
    if (!file)
      throw std::logic_error("field " + field.name + " has no idx file");
    std::string path = folder.resolve(*file);
    result.values.push_back(readIdx(path, field));
    int64_t rows = result.values.back().shape().front();
    if (result.values.size() == 1)
      result.rows = rows;
    if (rows != result.rows)
      throw Error(fault::RowsDiffer, field.name, counted(uint64_t(rows), "row"),
                  declaration.fields.front().name, result.rows)
          .at({path, 0, "byte 4", {}, 0, 0, {}})
          .note("this is split `" + split.name + "` of data `" +
                declaration.name + "`");
    if (rows == 0)
      throw Error(fault::NoRows, path, "");
  }
  return result;
}

Dataset DataReader::read(std::string_view name) {
  std::string known;
  for (const Split &split : declaration.splits) {
    known += (known.empty() ? "`" : ", `") + split.name + "`";
    if (split.name != name)
      continue;
    if (const auto *source = std::get_if<CsvSource>(&split.source))
      return readCsv(split, *source);
    return readIdxFiles(split, std::get<IdxSource>(split.source));
  }
  throw Error(fault::UnknownSplit, declaration.name, name)
      .note("its splits are " + known);
}

} // namespace gradus

#include "runtime/data/DataReader.h"

#include "runtime/data/ArrayFields.h"
#include "runtime/data/CsvFields.h"
#include "runtime/data/Idx.h"
#include "runtime/data/Npz.h"
#include "runtime/data/Rows.h"
#include "runtime/data/TextPart.h"

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
    slot = std::make_unique<CsvTable>(DataText(path), source.header);
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
                   chosenRows(rows.path(), int64_t(rows.rows()), *source));
    if (!names.empty())
      labels[field.name] = std::move(names);
  }
}

Dataset DataReader::readCsv(const Split &split, const CsvSource &source) {
  numberLabels();
  const CsvTable &from = table(source);
  std::vector<size_t> rows =
      chosenRows(from.path(), int64_t(from.rows()), source);
  static const std::vector<std::string> noNames;
  std::vector<CsvField> fields;
  for (const Field &field : declaration.fields) {
    auto names = labels.find(field.name);
    fields.push_back({field, fieldColumns(from, source, field),
                      names == labels.end() ? noNames : names->second});
  }
  std::vector<Tensor> values = csvValues(from, fields, rows, source.missing);
  from.checkUnchanged();
  return {declaration.name, split.name, int64_t(rows.size()),
          declaration.fields, std::move(values)};
}

void DataReader::checkRows(const Split &split, size_t field, int64_t rows,
                           int64_t expected, const DataPlace &place) const {
  const std::vector<Field> &fields = declaration.fields;
  if (rows != expected)
    throw Error(fault::RowsDiffer, fields[field].name,
                counted(uint64_t(rows), "row"), fields.front().name, expected)
        .at(place)
        .note("this is split `" + split.name + "` of data `" +
              declaration.name + "`");
}

/// What a source has for a field; every field has something.
static const std::string &
fileFor(const std::vector<std::pair<std::string, std::string>> &files,
        const Field &field) {
  for (const auto &[name, file] : files)
    if (name == field.name)
      return file;
  throw std::logic_error("field " + field.name + " has no file");
}

Dataset DataReader::readIdxFiles(const Split &split, const IdxSource &source) {
  Dataset result{declaration.name, split.name, 0, declaration.fields, {}};
  for (const Field &field : declaration.fields) {
    std::string path = folder.resolve(fileFor(source.files, field));
    result.values.push_back(readIdx(path, field));
    int64_t rows = result.values.back().shape().front();
    size_t index = result.values.size() - 1;
    if (index == 0)
      result.rows = rows;
    checkRows(split, index, rows, result.rows,
              {path, 0, "byte 4", {}, 0, 0, {}});
    if (rows == 0)
      throw Error(fault::NoRows, path, "");
  }
  return result;
}

Dataset DataReader::readArrays(const Split &split, const ArraySource &source) {
  Dataset result{declaration.name, split.name, 0, declaration.fields, {}};
  std::optional<NpzFile> archive;
  if (!source.archive.empty())
    archive.emplace(folder.resolve(source.archive),
                    readDataFile(folder.resolve(source.archive)));
  std::vector<size_t> chosen;
  int64_t rows = 0;
  for (const Field &field : declaration.fields) {
    const std::string &name = fileFor(source.arrays, field);
    NpyArray array = archive ? archive->read(name)
                             : parseNpy(folder.resolve(name),
                                        readDataFile(folder.resolve(name)));
    int64_t count = rowsOf(array, field);
    if (result.values.empty()) {
      rows = count;
      chosen = chosenRows(array.origin, rows, source);
    }
    checkRows(split, result.values.size(), count, rows,
              {array.origin, 0, {}, {}, 0, 0, {}});
    result.values.push_back(arrayValues(array, field, chosen, source.missing));
  }
  result.rows = int64_t(chosen.size());
  return result;
}

Dataset DataReader::readLinspace(const Split &split,
                                 const LinspaceSource &source) {
  Dataset result{
      declaration.name, split.name, source.rows, declaration.fields, {}};
  for (size_t field = 0; field < declaration.fields.size(); ++field) {
    auto [begin, end] = source.ends.at(field);
    Tensor values(declaration.fields[field].element, {source.rows});
    for (int64_t row = 0; row < source.rows; ++row) {
      double part = double(row) / double(source.rows - 1);
      values.set(row, begin * (1 - part) + end * part);
    }
    result.values.push_back(std::move(values));
  }
  return result;
}

void DataReader::useCharacters(const ClassNames &names) {
  const auto *text = std::get_if<TextSource>(&trainingSplit().source);
  auto found = names.find(declaration.fields.front().name);
  if (text && !text->isBytes && found != names.end())
    labels[found->first] = found->second;
}

Dataset DataReader::readText(const Split &split, const TextSource &source) {
  const Field &field = declaration.fields.at(0);
  TextPart text(folder.resolve(source.file), source);
  if (!source.isBytes && labels[field.name].empty()) {
    const Split &training = trainingSplit();
    const auto &own = std::get<TextSource>(training.source);
    labels[field.name] =
        &training == &split
            ? text.characters()
            : TextPart(folder.resolve(own.file), own).characters();
  }
  Windows windows = text.windows(field);
  Dataset result{declaration.name,
                 split.name,
                 text.count(windows),
                 declaration.fields,
                 {}};
  result.windows = windows;
  result.values.push_back(source.isBytes
                              ? text.bytes()
                              : text.numbers(field, labels.at(field.name)));
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
    if (const auto *source = std::get_if<ArraySource>(&split.source))
      return readArrays(split, *source);
    if (const auto *source = std::get_if<TextSource>(&split.source))
      return readText(split, *source);
    if (const auto *source = std::get_if<LinspaceSource>(&split.source))
      return readLinspace(split, *source);
    return readIdxFiles(split, std::get<IdxSource>(split.source));
  }
  throw Error(fault::UnknownSplit, declaration.name, name)
      .note("its splits are " + known);
}

} // namespace gradus

// See DescribeData.h.
#include "tools/gradus/DescribeData.h"

#include <fmt/format.h>

namespace gradus {

Element elementOf(typed::ElementType element, Precision precision) {
  switch (element) {
  case typed::ElementType::F32:
    return Element::F32;
  case typed::ElementType::F64:
    return Element::F64;
  case typed::ElementType::I64:
    return Element::I64;
  case typed::ElementType::U8:
    return Element::U8;
  case typed::ElementType::Bool:
    return Element::Bool;
  case typed::ElementType::I32:
  case typed::ElementType::Index:
    return Element::I32;
  case typed::ElementType::Real:
  case typed::ElementType::WeakWhole:
  case typed::ElementType::WeakReal:
    break;
  }
  return precision == Precision::F64 ? Element::F64 : Element::F32;
}

static Field describe(const typed::Data::Field &field, Precision precision) {
  Field result;
  result.name = field.name;
  result.element = elementOf(field.type.element, precision);
  result.shape = typed::evaluate(field.type.shape, {});
  if (field.type.element == typed::ElementType::Index)
    result.classes = field.type.bound.evaluate({});
  result.type = field.type.str();
  if (field.range)
    result.place = fmt::format("{}:{}", field.range.source->name(),
                               field.range.position().line);
  return result;
}

static Columns describe(const typed::CsvColumns &columns) {
  Columns result;
  for (const typed::CsvColumns::Item &item : columns.items) {
    Columns one;
    if (const auto *name = std::get_if<std::string>(&item)) {
      one = Columns::named(*name);
    } else if (const auto *number = std::get_if<int64_t>(&item)) {
      one = Columns::number(*number);
    } else {
      const auto &range = std::get<typed::CsvColumns::Interval>(item);
      Columns::Item interval;
      interval.numbers = {range.begin, range.end};
      one.items.push_back(interval);
    }
    result.items.insert(result.items.end(), one.items.begin(), one.items.end());
  }
  return result;
}

static RowChoice describe(const typed::RowChoice &choice) {
  RowChoice result;
  if (choice.rows)
    result.rows = Interval{choice.rows->begin, choice.rows->end};
  if (choice.split)
    result.split =
        Interval{int64_t((*choice.split)[0]), int64_t((*choice.split)[1])};
  result.seed = choice.seed.value_or(0);
  result.missing = choice.missing;
  return result;
}

static CsvSource describe(const typed::Data &data,
                          const typed::CsvSource &source) {
  CsvSource result;
  static_cast<RowChoice &>(result) =
      describe(static_cast<const typed::RowChoice &>(source));
  result.file = source.file;
  for (size_t i = 0; i < source.columns.size(); ++i)
    result.columns.emplace_back(data.fields[i].name,
                                describe(source.columns[i]));
  result.header = source.header;
  return result;
}

static ArraySource describe(const typed::Data &data,
                            const typed::ArraySource &source) {
  ArraySource result;
  static_cast<RowChoice &>(result) =
      describe(static_cast<const typed::RowChoice &>(source));
  result.archive = source.archive;
  for (size_t i = 0; i < source.arrays.size(); ++i)
    result.arrays.emplace_back(data.fields[i].name, source.arrays[i]);
  return result;
}

static TextSource describe(const typed::TextSource &source) {
  TextSource result{source.file, source.isBytes};
  if (source.part)
    result.part =
        Interval{int64_t((*source.part)[0]), int64_t((*source.part)[1])};
  return result;
}

DataInfo describeData(const typed::Data &data, Precision precision) {
  DataInfo info;
  info.name = data.path;
  for (const typed::Data::Field &field : data.fields)
    info.fields.push_back(describe(field, precision));
  for (const typed::Data::Split &split : data.splits) {
    if (const auto *csv = std::get_if<typed::CsvSource>(&split.source)) {
      info.splits.push_back({split.name, describe(data, *csv)});
      continue;
    }
    if (const auto *arrays = std::get_if<typed::ArraySource>(&split.source)) {
      info.splits.push_back({split.name, describe(data, *arrays)});
      continue;
    }
    if (const auto *text = std::get_if<typed::TextSource>(&split.source)) {
      info.splits.push_back({split.name, describe(*text)});
      continue;
    }
    if (const auto *even = std::get_if<typed::LinspaceSource>(&split.source)) {
      info.splits.push_back(
          {split.name, LinspaceSource{even->ends, even->rows}});
      continue;
    }
    const auto &idx = std::get<typed::IdxSource>(split.source);
    IdxSource source;
    for (size_t i = 0; i < idx.files.size(); ++i)
      source.files.emplace_back(data.fields[i].name, idx.files[i]);
    info.splits.push_back({split.name, source});
  }
  return info;
}

} // namespace gradus

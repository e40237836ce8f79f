// See SourceReader.h.
#include "compiler/check/SourceReader.h"
#include "compiler/check/Constants.h"

#include <algorithm>
#include <cmath>

namespace gradus::typed {

void SourceReader::unknown(const ast::Name &name,
                           std::vector<std::string> options) {
  for (const Data::Field &field : data.fields)
    options.push_back(field.name);
  Diagnostic &error = state.diagnostics.report(diag::UnknownField, name.range,
                                               data.name, name.text);
  std::string near = nearest(name.text, options);
  if (!near.empty())
    error.meant(near);
  isGood = false;
}

std::optional<double> SourceReader::number(const ast::Expr &expr,
                                           std::string_view what) {
  const Expr *value = body.value(expr);
  if (value->type.isPoison()) {
    isGood = false;
    return std::nullopt;
  }
  auto found = evaluate(*value);
  if (!found || value->type.element == ElementType::Bool) {
    wrong(expr.range, what, "a number");
    return std::nullopt;
  }
  return found;
}

std::optional<int64_t> SourceReader::whole(const ast::Expr &expr,
                                           std::string_view what) {
  auto found = number(expr, what);
  if (!found)
    return std::nullopt;
  if (std::nearbyint(*found) == *found && std::abs(*found) < 1e15)
    return int64_t(*found);
  wrong(expr.range, what, "a whole number");
  return std::nullopt;
}

bool SourceReader::readColumns(const ast::Expr &expr, CsvColumns &columns,
                               std::string_view field) {
  columns.range = expr.range;
  auto readOne = [&](const ast::Expr &item) {
    if (auto *text = item.as<ast::String>()) {
      columns.items.push_back(text->value);
    } else if (auto *slice = item.as<ast::Slice>()) {
      CsvColumns::Interval interval;
      auto begin = slice->begin ? whole(*slice->begin, field)
                                : std::optional<int64_t>(0);
      if (slice->end)
        interval.end = whole(*slice->end, field);
      if (!begin || (slice->end && !interval.end))
        return;
      interval.begin = *begin;
      if (interval.begin < 0 || (interval.end && *interval.end <= *begin))
        wrong(item.range, field, "a range of columns, counted from 0");
      columns.items.push_back(interval);
    } else if (auto column = whole(item, field)) {
      if (*column < 0)
        wrong(item.range, field, "a column, counted from 0");
      columns.items.push_back(*column);
    }
  };
  if (auto *list = expr.as<ast::List>())
    for (const auto &item : list->elements)
      readOne(*item);
  else
    readOne(expr);
  return isGood;
}

// As many columns as the field has numbers, where both are known.
void SourceReader::checkCount(const CsvColumns &columns,
                              const Data::Field &field) {
  int64_t total = 0;
  for (const auto &item : columns.items) {
    auto *interval = std::get_if<CsvColumns::Interval>(&item);
    if (interval && !interval->end)
      return;
    total += interval ? *interval->end - interval->begin : 1;
  }
  int64_t wanted = elementCount(field.type.shape).dims.constant().value_or(0);
  if (total != wanted)
    state.diagnostics
        .report(diag::ColumnCount, columns.range, field.name, field.type.str(),
                total == 1 ? std::string("1 column is")
                           : fmt::format("{} columns are", total))
        .label(field.range,
               fmt::format("{} per example", count(wanted, "number")));
}

bool SourceReader::hasEveryField(const std::vector<Range> &given) {
  for (size_t i = 0; i < given.size() && isGood; ++i)
    if (!given[i]) {
      state.diagnostics.report(diag::MissingArgument, range, name,
                               data.fields[i].name);
      isGood = false;
    }
  return isGood;
}

std::optional<std::array<double, 2>>
SourceReader::percent(const ast::Expr &expr, const std::string &option) {
  auto *slice = expr.as<ast::Slice>();
  if (!slice) {
    wrong(expr.range, option, "a range of per cent, as in `80..100`");
    return std::nullopt;
  }
  auto begin =
      slice->begin ? number(*slice->begin, option) : std::optional<double>(0);
  auto end =
      slice->end ? number(*slice->end, option) : std::optional<double>(100);
  if (!begin || !end)
    return std::nullopt;
  if (!(*begin >= 0 && *begin < *end && *end <= 100))
    wrong(expr.range, option, "a range of per cent between 0 and 100");
  else if (*begin != std::floor(*begin) || *end != std::floor(*end))
    wrong(expr.range, option, "a range of whole per cent");
  return {{*begin, *end}};
}

void SourceReader::readOption(RowChoice &choice, const std::string &option,
                              const ast::Expr &value) {
  auto *slice = value.as<ast::Slice>();
  if (option == "rows") {
    if (!slice)
      return wrong(value.range, option, "a range of rows, as in `0..400`");
    CsvColumns::Interval rows;
    auto begin =
        slice->begin ? whole(*slice->begin, option) : std::optional<int64_t>(0);
    if (slice->end)
      rows.end = whole(*slice->end, option);
    if (!begin || (slice->end && !rows.end))
      return;
    rows.begin = *begin;
    if (rows.begin < 0 || (rows.end && *rows.end <= rows.begin))
      return wrong(value.range, option, "a range of rows, counted from 0");
    choice.rows = rows;
  } else if (option == "split") {
    choice.split = percent(value, option);
  } else if (option == "seed") {
    auto seed = whole(value, option);
    if (seed && *seed < 0)
      return wrong(value.range, option, "a whole number, at least 0");
    if (seed)
      choice.seed = *seed;
  } else {
    choice.missing = number(value, option);
  }
}

bool SourceReader::isNew(const ast::Name &argument) {
  auto [found, isFirst] = seen.emplace(argument.text, argument.range);
  if (isFirst)
    return true;
  state.diagnostics.report(diag::ArgumentTwice, argument.range, argument.text)
      .label(found->second, "here already");
  return isGood = false;
}

std::optional<size_t>
SourceReader::fieldNamed(const ast::Name &argument,
                         const std::vector<std::string> &options) {
  auto field =
      std::ranges::find(data.fields, argument.text, &Data::Field::name);
  if (field != data.fields.end())
    return field - data.fields.begin();
  unknown(argument, options);
  return std::nullopt;
}

void SourceReader::checkSeed(const RowChoice &choice) {
  if (isGood && choice.seed && !choice.split)
    wrong(seen["seed"], "seed", "given together with `split`");
}

std::vector<Range>
SourceReader::readArguments(const std::vector<std::string> &options,
                            auto &&unnamed, auto &&option, auto &&field) {
  std::vector<Range> given(data.fields.size());
  for (const ast::Argument &argument : call.arguments) {
    const ast::Expr &value = *argument.value;
    if (!argument.name) {
      unnamed(value);
      continue;
    }
    const std::string &key = argument.name->text;
    if (!isNew(*argument.name))
      continue;
    if (std::ranges::find(options, key) != options.end()) {
      option(key, value);
    } else if (auto index = fieldNamed(*argument.name, options)) {
      given[*index] = value.range;
      field(*index, value);
    }
  }
  return given;
}

bool SourceReader::read(CsvSource &source) {
  std::vector<std::string> options = rowOptions;
  options.push_back("header");
  source.columns.resize(data.fields.size());
  std::vector<Range> given = readArguments(
      options, [&](const ast::Expr &value) { readFile(value, source); },
      [&](const std::string &key, const ast::Expr &value) {
        if (key != "header")
          return readOption(source, key, value);
        const Expr *flag = body.value(value);
        if (flag->type.element != ElementType::Bool || !evaluate(*flag))
          wrong(value.range, key, "`true` or `false`");
        else
          source.header = *evaluate(*flag) != 0;
      },
      [&](size_t index, const ast::Expr &value) {
        const Data::Field &field = data.fields[index];
        if (readColumns(value, source.columns[index], field.name))
          checkCount(source.columns[index], field);
      });
  if (isGood && !source.fileRange)
    wrong(range, name, "given a file: `csv(\"data.csv\", ...)`");
  checkSeed(source);
  return hasEveryField(given);
}

bool SourceReader::read(IdxSource &source) {
  source.files.resize(data.fields.size());
  return hasEveryField(readArguments(
      {},
      [&](const ast::Expr &value) {
        wrong(value.range, name, "given fields by name: `image = \"file\"`");
      },
      [](const std::string &, const ast::Expr &) {},
      [&](size_t index, const ast::Expr &value) {
        if (auto *text = value.as<ast::String>())
          source.files[index] = text->value;
        else
          wrong(value.range, data.fields[index].name, "the name of a file");
      }));
}

bool SourceReader::read(ArraySource &source) {
  bool isArchive = name == "npz";
  for (const Data::Field &field : data.fields)
    source.arrays.push_back(isArchive ? field.name : "");
  std::vector<Range> given = readArguments(
      rowOptions,
      [&](const ast::Expr &value) {
        auto *text = value.as<ast::String>();
        if (!isArchive)
          return wrong(value.range, name,
                       "given fields by name: `image = \"file\"`");
        if (!text || source.archiveRange)
          return wrong(value.range, name,
                       "given one file, then fields by name");
        source.archive = text->value;
        source.archiveRange = value.range;
      },
      [&](const std::string &key, const ast::Expr &value) {
        readOption(source, key, value);
      },
      [&](size_t index, const ast::Expr &value) {
        if (auto *text = value.as<ast::String>())
          source.arrays[index] = text->value;
        else
          wrong(value.range, data.fields[index].name,
                isArchive ? "the name of an array in the file"
                          : "the name of a file");
      });
  if (isGood && isArchive && source.archive.empty())
    wrong(range, name, "given a file: `npz(\"data.npz\", ...)`");
  checkSeed(source);
  return isArchive ? isGood : hasEveryField(given);
}

// One field, of which an example is a window of the text.
void SourceReader::checkWindow(const TextSource &source) {
  const Data::Field &field = data.fields[0];
  std::string wanted = fmt::format("`index({})[N]`, a window of N {}",
                                   source.isBytes ? "256" : "V",
                                   source.isBytes ? "bytes" : "characters");
  if (data.fields.size() > 1)
    wrong(range, name, "the source of data of one field, the window");
  else if (field.type.element != ElementType::Index ||
           field.type.shape.size() != 1 ||
           (source.isBytes && field.type.bound.constant() != 256))
    wrong(field.range, field.name, wanted);
}

bool SourceReader::read(TextSource &source) {
  source.isBytes = name == "bytes";
  std::vector<Range> given = readArguments(
      {"part"}, [&](const ast::Expr &value) { readFile(value, source); },
      [&](const std::string &key, const ast::Expr &value) {
        source.part = percent(value, key);
      },
      [&](size_t index, const ast::Expr &value) {
        if (auto *use = value.as<ast::NameUse>(); !use || use->text != "window")
          wrong(value.range, data.fields[index].name, "`window`");
      });
  if (isGood && !source.fileRange)
    wrong(range, name,
          fmt::format("given a file: `{}(\"text.txt\", ...)`", name));
  if (hasEveryField(given))
    checkWindow(source);
  return isGood;
}

// `-3..3` for a field that is one real number.
bool SourceReader::readEnds(const ast::Expr &expr, std::array<double, 2> &ends,
                            const Data::Field &field) {
  auto *slice = expr.as<ast::Slice>();
  if (!slice || !slice->begin || !slice->end) {
    wrong(expr.range, field.name, "a range, as in `0..1`");
    return false;
  }
  auto begin = number(*slice->begin, field.name);
  auto end = number(*slice->end, field.name);
  if (!begin || !end)
    return false;
  ends = {*begin, *end};
  if (!(*begin < *end) || std::isinf(*end - *begin))
    wrong(expr.range, field.name, "a range whose end is beyond its begin");
  if (!(field.type == Type::tensor(ElementType::Real)))
    wrong(field.range, field.name, "`real`, one number, to come from linspace");
  return isGood;
}

bool SourceReader::read(LinspaceSource &source) {
  constexpr int64_t most = 1'000'000'000;
  source.ends.resize(data.fields.size());
  std::vector<Range> given = readArguments(
      {"rows"},
      [&](const ast::Expr &value) {
        wrong(value.range, name, "given ranges by name: `x = 0..1`");
      },
      [&](const std::string &key, const ast::Expr &value) {
        auto rows = whole(value, key);
        if (rows && (*rows < 2 || *rows > most))
          wrong(value.range, key, "a whole number from 2 to 10^9");
        source.rows = rows.value_or(0);
      },
      [&](size_t index, const ast::Expr &value) {
        readEnds(value, source.ends[index], data.fields[index]);
      });
  if (isGood && !source.rows)
    wrong(range, name, "given `rows`, how many they are");
  return hasEveryField(given);
}

} // namespace gradus::typed

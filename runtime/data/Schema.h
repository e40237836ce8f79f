// A `data` declaration as the readers see it: the fields of one example with
// concrete dims, and where each split comes from. Plain data; the compiler
// fills it in.
#pragma once

#include "runtime/Abi.h"

#include <array>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>

namespace gradus {

/// One field of an example.
struct Field {
  std::string name;
  /// In memory: `real` is F32 or F64, `index(K)` is I32.
  Element element = Element::F32;
  std::vector<int64_t> shape = {};
  /// K of `index(K)`: values are 0, ..., K - 1. 0 if it is no index.
  int64_t classes = 0;
  /// The type as declared, for messages: `index(Class)`, `u8[28, 28]`. May be
  /// empty.
  std::string type = {};
  /// Where it is declared, for messages: `wine.nn:3`. May be empty.
  std::string place = {};

  int64_t elements() const {
    return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                           std::multiplies<>());
  }
  int64_t bytes() const { return elements() * byteWidth(element); }
};

/// `a..b` of the language; either end may be missing.
struct Interval {
  std::optional<int64_t> begin, end;
};

/// `idx(image = "...", label = "...")`: one file of bytes for each field.
struct IdxSource {
  /// Field and file; every field has one.
  std::vector<std::pair<std::string, std::string>> files;
};

/// Which rows of its files a split takes.
struct RowChoice {
  /// Rows from 0; of csv, the header and blank lines are not counted.
  std::optional<Interval> rows;
  /// Per cent of these rows, drawn at random with `seed`: 0..80 and 80..100
  /// share no row and leave none out.
  std::optional<Interval> split;
  uint64_t seed = 0;
  /// Takes the place of missing values: NaN, infinite numbers and, in csv,
  /// empty cells and `NA`, which otherwise are errors.
  std::optional<double> missing;
};

/// `npy(image = "...", label = "...")`: one array of all rows for each field;
/// `npz("file", image = "name", ...)`: the arrays of one archive.
struct ArraySource : RowChoice {
  /// The archive; empty for npy.
  std::string archive;
  /// Field and file, or name within the archive; every field has one.
  std::vector<std::pair<std::string, std::string>> arrays;
};

/// The columns of a csv file that make up a field, in this order.
struct Columns {
  struct Item {
    /// A column by its name in the header; if empty:
    std::string name;
    /// columns by number from 0. Negative ends count from the last column;
    /// without an end: up to the last.
    Interval numbers;
  };
  std::vector<Item> items;

  static Columns named(std::string name) { return {{{std::move(name), {}}}}; }
  static Columns number(int64_t i) {
    Item item;
    item.numbers.begin = i;
    if (i != -1)
      item.numbers.end = i + 1;
    return {{item}};
  }
  static Columns range(int64_t begin, int64_t end) {
    return {{{"", {begin, end}}}};
  }
};

/// `csv("file", x = 0..13, y = "medv", ...)`.
struct CsvSource : RowChoice {
  std::string file;
  /// Field and columns. A field that is not listed is the column of its name.
  std::vector<std::pair<std::string, Columns>> columns;
  /// Whether the first row is a header; if not given, it is one if any of its
  /// cells is not a number.
  std::optional<bool> header;
};

/// `chars("file", text = window, part = 0..90)` and `bytes(...)`: the only
/// field is a window of the text.
struct TextSource {
  std::string file;
  /// Whether a window consists of bytes, not of the characters of UTF-8.
  bool isBytes = false;
  /// Per cent of these.
  std::optional<Interval> part = std::nullopt;
};

/// `linspace(x = -3..3, rows = 512)`: evenly spaced numbers, both ends
/// included.
struct LinspaceSource {
  /// For each field, in order.
  std::vector<std::array<double, 2>> ends;
  int64_t rows = 0;
};

struct Split {
  /// `train`, `test`, ...
  std::string name;
  std::variant<CsvSource, IdxSource, ArraySource, TextSource, LinspaceSource>
      source;
};

struct DataInfo {
  /// `mnist`.
  std::string name;
  std::vector<Field> fields;
  std::vector<Split> splits;
};

} // namespace gradus

// The typed form of `data`: fields with their types, and for each split where
// its examples come from. Next: TypedAst.h, which it is a part of.
#pragma once

#include "compiler/Source.h"
#include "compiler/check/Types.h"

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gradus::typed {

/// Columns of a csv file: numbers from 0, names, or a range of numbers.
struct CsvColumns {
  struct Interval {
    int64_t begin = 0;
    /// Absent: to the last column.
    std::optional<int64_t> end;
  };
  using Item = std::variant<int64_t, std::string, Interval>;
  std::vector<Item> items;
  Range range;
};

/// Which rows of its files a split takes.
struct RowChoice {
  /// Rows [begin, end).
  std::optional<CsvColumns::Interval> rows;
  /// Per cent [first, second) of the rows, after a shuffle by `seed` if given.
  std::optional<std::array<double, 2>> split;
  std::optional<uint64_t> seed;
  /// What an empty cell or NaN stands for.
  std::optional<double> missing;
};

struct CsvSource : RowChoice {
  std::string file;
  Range fileRange;
  /// One per field of the data, in its order.
  std::vector<CsvColumns> columns;
  std::optional<bool> header;
};

struct IdxSource {
  /// One per field of the data, in its order.
  std::vector<std::string> files;
};

/// `npy(...)` and `npz("file", ...)`.
struct ArraySource : RowChoice {
  /// Of npz, else empty.
  std::string archive;
  Range archiveRange;
  /// One per field of the data, in its order: a file, or of npz a name in it.
  std::vector<std::string> arrays;
};

/// `chars("text.txt", text = window, part = 0..90)` and `bytes(...)`.
struct TextSource {
  std::string file;
  Range fileRange;
  /// What a window consists of: bytes, or the characters of UTF-8.
  bool isBytes = false;
  /// Per cent [first, second) of them.
  std::optional<std::array<double, 2>> part;
};

/// `linspace(x = -3..3, rows = 512)`.
struct LinspaceSource {
  /// One per field of the data, in its order: first and last number.
  std::vector<std::array<double, 2>> ends;
  int64_t rows = 0;
};

struct Data {
  struct Field {
    std::string name;
    std::string doc;
    Range range;
    /// Of one example.
    Type type;
  };
  struct Split {
    std::string name;
    Range range;
    std::variant<CsvSource, IdxSource, ArraySource, TextSource, LinspaceSource>
        source;
  };
  std::string name;
  /// `housing`, or `base.housing` of a file imported `as base`.
  std::string path;
  std::string doc;
  Range range;
  /// The file it stands in; paths are relative to its folder.
  const Source *file = nullptr;
  bool isExported = false;
  std::vector<Field> fields;
  std::vector<Split> splits;
};

} // namespace gradus::typed

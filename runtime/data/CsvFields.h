// Fields made of the columns and rows of a csv table: which columns, which
// number stands for a text label, and the values themselves.
#pragma once

#include "runtime/Tensor.h"
#include "runtime/data/Csv.h"
#include "runtime/data/Schema.h"

#include <span>

namespace gradus {

/// The columns of a field, as many as it has elements. Throws E0817 to E0819,
/// E0822.
std::vector<size_t> fieldColumns(const CsvTable &table, const CsvSource &source,
                                 const Field &field);

/// The labels of an `index(K)` field that are texts, in alphabetical order;
/// empty if they are numbers, which the first cell decides. Throws E0814,
/// E0824, E0827.
std::vector<std::string> textLabels(const CsvTable &table, const Field &field,
                                    std::span<const size_t> columns,
                                    std::span<const size_t> rows);

/// A field, its columns, and the names of its text labels in the training
/// split; none if its labels are numbers.
struct CsvField {
  const Field &field;
  std::vector<size_t> columns;
  const std::vector<std::string> &names;
};

/// The values [rows, shape...] of each field. `missing` replaces empty cells,
/// NaN and Inf. Throws E0801, E0803, E0813 to E0815, E0825.
std::vector<Tensor> csvValues(const CsvTable &table,
                              std::span<const CsvField> fields,
                              std::span<const size_t> rows,
                              std::optional<double> missing);

} // namespace gradus

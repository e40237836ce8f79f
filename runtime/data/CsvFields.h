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

/// The values [rows, shape...]. `names` are those of textLabels of the training
/// split; `missing` replaces empty cells, NaN and Inf. Throws E0801, E0813 to
/// E0815, E0825.
Tensor csvValues(const CsvTable &table, const Field &field,
                 std::span<const size_t> columns, std::span<const size_t> rows,
                 const std::vector<std::string> &names,
                 std::optional<double> missing);

} // namespace gradus

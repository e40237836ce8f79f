// Results of `run` and `predict` as files: npy, an npz archive of several, csv.
// data/Npy.h and data/Npz.h read the former two.
#pragma once

#include "runtime/Tensor.h"

#include <string>
#include <utility>
#include <vector>

namespace gradus {

/// The bytes of an npy file of version 1; `index(K)`, an I32, is written as
/// int64 if `asInt64`.
std::string npyBytes(const Tensor &tensor, bool asInt64 = false);
/// Throws E1002 and E1051.
void writeNpy(const std::string &path, const Tensor &tensor,
              bool asInt64 = false);

/// One number for each cell: a scalar or vector is a column, a matrix has a
/// column `name.0`, `name.1`, ... for each of its columns. Throws E1015 for
/// more axes.
void writeCsv(const std::string &path, const std::string &name,
              const Tensor &tensor);

/// Name and array of each entry.
using NamedBytes = std::pair<std::string, std::string>;

/// Writes an archive of npy files, stored; a pair is a name and what npyBytes
/// gives. Throws E1002 and E1051.
void writeNpz(const std::string &path, const std::vector<NamedBytes> &arrays);

} // namespace gradus

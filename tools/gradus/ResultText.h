// Results of a function as text on stdout.
#pragma once

#include "runtime/run/Predict.h"

#include <string>
#include <vector>

namespace gradus {

/// `{"logits": [[0.1, ...], ...]}`: nested lists by name; NaN and infinities
/// are null.
std::string jsonText(const std::vector<NamedTensor> &results);

/// For people: a scalar as a number, a vector as one line, a matrix as lines of
/// numbers with blanks between them, more axes as blocks of lines. Several
/// results have their names above them.
std::string plainText(const std::vector<NamedTensor> &results);

} // namespace gradus

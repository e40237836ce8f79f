// Runs graph functions given as text: derivatives taken, lowered by the
// reference path, in f64.
#pragma once

#include "compiler/native/Jit.h"

#include <memory>
#include <string>
#include <vector>

namespace gradus {

/// The functions of one module, each compiled as one kernel.
class GraphRunner {
public:
  /// Fails the test if the text does not compile.
  explicit GraphRunner(const std::string &text);

  /// Calls `function` with f64 inputs; gives its results, of `sizes` elements.
  std::vector<std::vector<double>> run(const std::string &function,
                                       std::vector<std::vector<double>> inputs,
                                       const std::vector<size_t> &sizes) const;

private:
  std::shared_ptr<native::Code> code;
};

} // namespace gradus

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
  explicit GraphRunner(const std::string &text) : GraphRunner(text, "", 1) {}
  /// The rule of `op` gives `factor` times the derivative, in gradients that
  /// depend on no other.
  GraphRunner(const std::string &text, const std::string &op, double factor);

  /// How many times a rule was made wrong.
  int spoiled() const { return spoiledRules; }

  /// Calls `function` with f64 inputs; gives its results, of `sizes` elements.
  std::vector<std::vector<double>> run(const std::string &function,
                                       std::vector<std::vector<double>> inputs,
                                       const std::vector<size_t> &sizes) const;

private:
  std::shared_ptr<native::Code> code;
  int spoiledRules = 0;
};

} // namespace gradus

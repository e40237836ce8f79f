// A small function through the whole compiler and on the processor.
#pragma once

#include <string>

namespace gradus {

struct SelfCheck {
  /// What is wrong; empty if the result is right to the bit.
  std::string failure;
  double seconds = 0;
};

/// Compiles and runs a derivative whose values are known.
SelfCheck selfCheck();

} // namespace gradus

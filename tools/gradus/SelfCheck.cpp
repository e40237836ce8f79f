// See SelfCheck.h. What can fail on a machine where gradus itself is sound:
// code may not be made executable, or the processor is not what it says.
#include "tools/gradus/SelfCheck.h"
#include "compiler/Compiler.h"
#include "compiler/ast/Parser.h"
#include "compiler/check/Checker.h"
#include "runtime/Execution.h"
#include "runtime/Tensor.h"

#include <fmt/format.h>

#include <chrono>

namespace gradus {

/// Cubes of small whole numbers and their derivatives are exact in f32.
static constexpr const char *text = R"(
export fn slope[N](x: real[N]) -> real[N] = grad(sum(x * x * x), x)
)";
/// No multiple of the length of a vector.
static constexpr int64_t length = 37;

static std::string failureOf(Diagnostics &diagnostics) {
  SourceManager sources;
  const Source &source = sources.add("self-check", text);
  auto file = parse(source, diagnostics);
  auto program = check(*file, {}, sources, diagnostics);
  if (!program)
    return "the compiler refuses it";
  const typed::Function &slope = *program->main->functions.front();
  typed::DimEnvironment dims;
  dims.dims[slope.generics.front()] = length;
  Compiler compiler(*program, {});
  Functions functions = compiler.exported(slope, dims, diagnostics);
  if (functions.empty())
    return "the compiler refuses it";

  Execution execution(std::move(functions.begin()->second));
  Tensor x(Element::F32, {length}), y(Element::F32, {length});
  for (int64_t i = 0; i < length; ++i)
    x.set(i, double(i));
  execution.bind(size_t(execution.find("argument/x")), x);
  execution.bind(size_t(execution.find("result/0")), y);
  execution.run();
  for (int64_t i = 0; i < length; ++i)
    if (y.at(i) != 3.0 * double(i * i))
      return fmt::format("the derivative of x^3 at {} is {}, not {}", i,
                         y.at(i), 3 * i * i);
  return "";
}

SelfCheck selfCheck() {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  SelfCheck result;
  Diagnostics diagnostics;
  try {
    result.failure = failureOf(diagnostics);
  } catch (const std::exception &error) {
    result.failure = error.what();
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

} // namespace gradus

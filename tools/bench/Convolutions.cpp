// Prints how near the three directions of a convolution come to the processor's
// multiply-add peak: forward, gradient by the weights, gradient by the input,
// in the layout that the step gives them (channels last). A padding is counted
// in the time but not in the arithmetic. An argument chooses lines: only those
// that contain it are measured.
#include "compiler/Compiler.h"
#include "compiler/lower/Lower.h"
#include "dialect/Graph.h"
#include "runtime/Execution.h"
#include "tools/gradus/FmaPeak.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

using namespace gradus;

namespace {

/// Seconds of this thread, without what others took of the processor.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

/// An image of h x h with c channels, o windows of k x k with zeros around so
/// that stride 1 keeps its size.
struct Case {
  int64_t batch, h, c, o, k, stride;

  int64_t pad() const { return k / 2; }
  int64_t padded() const { return h + 2 * pad(); }
  int64_t positions() const { return (padded() - k) / stride + 1; }
  double flops() const {
    return 2.0 * batch * positions() * positions() * o * c * k * k;
  }
};

std::string textOf(const Case &c, const std::string &direction) {
  std::string x =
      fmt::format("tensor<{}x{}x{}x{}xf32>", c.batch, c.h, c.h, c.c);
  std::string padded =
      fmt::format("tensor<{0}x{1}x{1}x{2}xf32>", c.batch, c.padded(), c.c);
  std::string y =
      fmt::format("tensor<{0}x{1}x{1}x{2}xf32>", c.batch, c.positions(), c.o);
  std::string w = fmt::format("tensor<{0}x{1}x{2}x{2}xf32>", c.o, c.c, c.k);
  std::string patches = fmt::format("tensor<{0}x{1}x{1}x{2}x{3}x{3}xf32>",
                                    c.batch, c.positions(), c.c, c.k);
  std::string unfold = fmt::format(
      R"(  %p = graph.pad %x low [0, {0}, {0}, 0] high [0, {0}, {0}, 0] : {1}
  %u = graph.unfold %p along [1, 2] sizes [{2}, {2}] strides [{3}, {3}] dilations [1, 1] : {4}
)",
      c.pad(), x, c.k, c.stride, padded);
  if (direction == "forward")
    return fmt::format(R"(func.func @f(%x: {0}, %w: {1}) -> {2} {{
{3}  %y = graph.einsum "bpqcij,ocij->bpqo" %u, %w : {4}, {1}
  return %y : {2}
}})",
                       x, w, y, unfold, patches);
  if (direction == "weights")
    return fmt::format(R"(func.func @f(%x: {0}, %dy: {2}) -> {1} {{
{3}  %y = graph.einsum "bpqo,bpqcij->ocij" %dy, %u : {2}, {4}
  return %y : {1}
}})",
                       x, w, y, unfold, patches);
  return fmt::format(R"(func.func @f(%w: {1}, %dy: {2}) -> {0} {{
  %p = graph.einsum "bpqo,ocij->bpqcij" %dy, %w : {2}, {1}
  %f = graph.fold %p along [1, 2] extents [{3}, {3}] strides [{4}, {4}] dilations [1, 1] : {5}
  %s = graph.slice %f from [0, {6}, {6}, 0] sizes [{7}, {8}, {8}, {9}] : {10}
  return %s : {0}
}})",
                     x, w, y, c.padded(), c.stride, patches, c.pad(), c.batch,
                     c.h, c.c, padded);
}

void run(mlir::MLIRContext &context, const Case &c,
         const std::string &direction, const std::string &chosen) {
  std::string name =
      fmt::format("{0:>2}x{0:<2} {1:>3} -> {2:<3} {3}x{3} / {4}  "
                  "{5:8}",
                  c.h, c.c, c.o, c.k, c.stride, direction);
  if (name.find(chosen) == std::string::npos)
    return;
  auto module =
      mlir::parseSourceString<mlir::ModuleOp>(textOf(c, direction), &context);
  auto functions = module ? compileGraph(std::move(module), {}) : std::nullopt;
  if (!functions)
    exit(1);
  Execution execution(std::move(functions->at("f")));
  std::vector<Tensor> tensors;
  for (const BufferInfo &buffer : execution.function().buffers) {
    Tensor &tensor = tensors.emplace_back(buffer.element, buffer.shape);
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.set(i, double(rand()) / RAND_MAX - 0.5);
  }
  for (size_t i = 0; i < tensors.size(); ++i)
    execution.bind(i, tensors[i]);
  std::vector<double> seconds, peaks;
  for (int repetition = 0; repetition < 15; ++repetition) {
    peaks.push_back(measureFmaPeak());
    double start = now();
    execution.run();
    seconds.push_back(now() - start);
  }
  auto median = [](std::vector<double> &values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  double time = median(seconds), peak = median(peaks);
  fmt::print("{} {:9.1f} us {:6.1f} GF/s {:5.1f} % of {:.1f}\n", name,
             time * 1e6, c.flops() / time * 1e-9, 100 * c.flops() / time / peak,
             peak * 1e-9);
}

} // namespace

int main(int count, char **arguments) {
  std::string chosen = count > 1 ? arguments[1] : "";
  mlir::DialectRegistry registry;
  lower::registerLowerDialects(registry);
  registry.insert<graph::GraphDialect>();
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  for (int64_t stride : {1, 2})
    for (int64_t k : {3, 5})
      for (auto [h, c, o] : {std::tuple<int64_t, int64_t, int64_t>{28, 1, 16},
                             {28, 16, 32},
                             {28, 32, 32},
                             {14, 16, 32},
                             {14, 32, 64}})
        for (const char *direction : {"forward", "weights", "input"})
          if (c > 1 || direction != std::string("input"))
            run(context, {64, h, c, o, k, stride}, direction, chosen);
}

// Prints how near contractions come to the processor's multiply-add peak, and
// how long a kernel takes to compile. The peak is measured between repetitions
// in the same process, because clocks drift.
#include "compiler/lower/Lower.h"
#include "compiler/native/Jit.h"
#include "compiler/native/Target.h"
#include "tools/gradus/FmaPeak.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

using namespace gradus;

namespace {

const lower::LowerOptions forThis = {.vectors =
                                         native::thisProcessor().vectors};

double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

enum class Epilogue { None, BiasRelu, Adam };

struct Case {
  const char *form;
  int64_t m, n, k;
  Epilogue epilogue = Epilogue::None;
};

std::string textOf(const Case &c) {
  bool turnsA = c.form[0] == 'T', turnsB = c.form[1] == 'T';
  std::string a = turnsA ? fmt::format("tensor<{}x{}xf32>", c.k, c.m)
                         : fmt::format("tensor<{}x{}xf32>", c.m, c.k);
  std::string b = turnsB ? fmt::format("tensor<{}x{}xf32>", c.n, c.k)
                         : fmt::format("tensor<{}x{}xf32>", c.k, c.n);
  std::string y = fmt::format("tensor<{}x{}xf32>", c.m, c.n);
  std::string text = R"(#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
)";
  std::string arguments = fmt::format("%a: {}, %b: {}", a, b), results = y;
  if (c.epilogue == Epilogue::BiasRelu)
    arguments += fmt::format(", %bias: tensor<{}xf32>", c.n);
  if (c.epilogue == Epilogue::Adam) {
    arguments += fmt::format(", %w: {0}, %m: {0}, %v: {0}", y);
    results = fmt::format("{0} {{graph.updates = 2 : i32}}, "
                          "{0} {{graph.updates = 3 : i32}}, "
                          "{0} {{graph.updates = 4 : i32}}",
                          y);
  }
  text += fmt::format(R"(func.func @k({}) -> ({}) {{
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : {}
  %f = linalg.fill ins(%z : f32) outs(%e : {}) -> {}
  %c = linalg.generic {{
      indexing_maps = [affine_map<(m, n, k) -> ({})>,
                       affine_map<(m, n, k) -> ({})>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}}
      ins(%a, %b : {}, {}) outs(%f : {}) {{
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  }} -> {}
)",
                      arguments, results, y, y, y, turnsA ? "k, m" : "m, k",
                      turnsB ? "n, k" : "k, n", a, b, y, y);
  if (c.epilogue == Epilogue::None)
    return text + fmt::format("  return %c : {}\n}}\n", y);
  if (c.epilogue == Epilogue::BiasRelu)
    return text + fmt::format(R"(
  %y = linalg.generic {{indexing_maps = [#id, #row, #id],
                        iterator_types = ["parallel", "parallel"]}}
      ins(%c, %bias : {0}, tensor<{1}xf32>) outs(%e : {0}) {{
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.addf %p, %q : f32
      %1 = arith.maximumf %0, %z : f32
      linalg.yield %1 : f32
  }} -> {0}
  return %y : {0}
}})",
                              y, c.n);
  return text + fmt::format(R"(
  %y:3 = linalg.generic {{indexing_maps = [#id, #id, #id, #id, #id, #id, #id],
                          iterator_types = ["parallel", "parallel"]}}
      ins(%c, %w, %m, %v : {0}, {0}, {0}, {0})
      outs(%e, %e, %e : {0}, {0}, {0}) {{
    ^bb0(%g: f32, %pw: f32, %pm: f32, %pv: f32, %o0: f32, %o1: f32, %o2: f32):
      %b1 = arith.constant 0.9 : f32
      %c1 = arith.constant 0.1 : f32
      %b2 = arith.constant 0.999 : f32
      %c2 = arith.constant 0.001 : f32
      %lr = arith.constant 0.001 : f32
      %eps = arith.constant 1.0e-8 : f32
      %0 = arith.mulf %pm, %b1 : f32
      %1 = arith.mulf %g, %c1 : f32
      %m1 = arith.addf %0, %1 : f32
      %2 = arith.mulf %g, %g : f32
      %3 = arith.mulf %pv, %b2 : f32
      %4 = arith.mulf %2, %c2 : f32
      %v1 = arith.addf %3, %4 : f32
      %5 = math.sqrt %v1 : f32
      %6 = arith.addf %5, %eps : f32
      %7 = arith.divf %m1, %6 : f32
      %8 = arith.mulf %7, %lr : f32
      %9 = arith.subf %pw, %8 : f32
      linalg.yield %9, %m1, %v1 : f32, f32, f32
  }} -> ({0}, {0}, {0})
  return %y#0, %y#1, %y#2 : {0}, {0}, {0}
}})",
                            y);
}

struct Compiled {
  std::shared_ptr<native::Code> code;
  double lowerMs = 0, nativeMs = 0;
};

Compiled compileCase(mlir::MLIRContext &context, const std::string &text,
                     bool print = false) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    exit(1);
  Compiled result;
  double start = now();
  auto lowered = lower::lowerKernels(*module, forThis);
  double middle = now();
  if (print && lowered)
    llvm::cantFail(native::printAssembly(*lowered, {}, llvm::outs()));
  auto code = lowered ? native::compile(*lowered, {})
                      : llvm::createStringError("not lowered");
  if (!code) {
    fmt::print(stderr, "{}\n", llvm::toString(code.takeError()));
    exit(1);
  }
  result.lowerMs = (middle - start) * 1e3;
  result.nativeMs = (now() - middle) * 1e3;
  result.code = *code;
  return result;
}

void run(mlir::MLIRContext &context, const Case &c) {
  std::string text = textOf(c);
  Compiled compiled = compileCase(context, text);
  Compiled again = compileCase(context, text);
  std::vector<void *> operands;
  auto add = [&](int64_t count) {
    auto *data = static_cast<float *>(
        std::aligned_alloc(64, (count * 4 + 63) / 64 * 64));
    for (int64_t i = 0; i < count; ++i)
      data[i] = float(rand()) / float(RAND_MAX) - 0.5f;
    operands.push_back(data);
  };
  add(c.m * c.k);
  add(c.k * c.n);
  if (c.epilogue == Epilogue::BiasRelu)
    add(c.n);
  int outputs = c.epilogue == Epilogue::Adam ? 3 : 1;
  for (int i = 0; i < outputs; ++i)
    add(c.m * c.n);
  if (c.epilogue == Epilogue::Adam) // the squares
    for (int64_t i = 0; i < c.m * c.n; ++i) {
      float &v = static_cast<float *>(operands.back())[i];
      v = v * v;
    }
  if (int64_t bytes = compiled.code->scratchBytes("k"))
    add(bytes / 4);
  KernelEntry entry = compiled.code->lookup("k");
  double flops = 2.0 * c.m * c.n * c.k;
  int inner = std::max(1, int(2e7 / flops));
  double best = 1e9, peak = 0;
  for (int repetition = 0; repetition < 40; ++repetition) {
    peak = std::max(peak, measureFmaPeak());
    double start = now();
    for (int i = 0; i < inner; ++i)
      entry(operands.data(), &alone);
    best = std::min(best, (now() - start) / inner);
  }
  for (void *operand : operands)
    std::free(operand);
  const char *names[] = {"", "+bias+relu", "+adam"};
  fmt::print(
      "{:2} {:>4}x{:>4}x{:>4} {:10} {:9.2f} us {:7.1f} GF/s {:5.1f} % of "
      "{:5.1f}   lower {:5.1f} ms native {:5.1f} ms\n",
      c.form, c.m, c.n, c.k, names[int(c.epilogue)], best * 1e6,
      flops / best * 1e-9, 100 * flops / best / peak, peak * 1e-9,
      again.lowerMs, again.nativeMs);
}

/// Times every kernel of a file, e.g. of `gradus compile --emit=linalg`.
void runFile(mlir::MLIRContext &context, const char *path) {
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context);
  if (!module)
    exit(1);
  double start = now();
  auto lowered = lower::lowerKernels(*module, forThis);
  double middle = now();
  auto code = lowered ? native::compile(*lowered, {})
                      : llvm::createStringError("not lowered");
  if (!code) {
    fmt::print(stderr, "{}\n", llvm::toString(code.takeError()));
    exit(1);
  }
  fmt::print("lower {:.1f} ms, native {:.1f} ms\n", (middle - start) * 1e3,
             (now() - middle) * 1e3);
  double total = 0;
  for (auto kernel : module->getOps<mlir::func::FuncOp>()) {
    std::vector<void *> operands;
    int64_t moved = 0;
    auto add = [&](int64_t bytes) {
      char *data =
          static_cast<char *>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
      std::fill_n(data, bytes, 0);
      operands.push_back(data);
      moved += bytes;
    };
    auto bytesOf = [](mlir::Type type) {
      auto tensor = mlir::cast<mlir::RankedTensorType>(type);
      return tensor.getNumElements() * tensor.getElementTypeBitWidth() / 8;
    };
    for (mlir::Type type : kernel.getArgumentTypes()) {
      add(bytesOf(type));
      auto tensor = mlir::cast<mlir::RankedTensorType>(type);
      if (tensor.getElementType().isF32())
        for (int64_t i = 0; i < tensor.getNumElements(); ++i)
          static_cast<float *>(operands.back())[i] =
              float(rand()) / float(RAND_MAX);
    }
    for (unsigned i = 0; i < kernel.getNumResults(); ++i)
      if (!kernel.getResultAttr(i, "graph.updates"))
        add(bytesOf(kernel.getResultTypes()[i]));
    if (int64_t bytes = (*code)->scratchBytes(kernel.getName()))
      add(bytes);
    KernelEntry entry = (*code)->lookup(kernel.getName());
    double best = 1e9;
    for (int repetition = 0; repetition < 60; ++repetition) {
      double begin = now();
      entry(operands.data(), &alone);
      best = std::min(best, now() - begin);
    }
    for (void *operand : operands)
      std::free(operand);
    fmt::print("{:28} {:9.2f} us  {:8.1f} KiB\n", kernel.getName().str(),
               best * 1e6, moved / 1024.0);
    total += best;
  }
  fmt::print("{:28} {:9.2f} us\n", "sum", total * 1e6);
}

} // namespace

int main(int argc, char **argv) {
  // bench-kernels N: the assembly of the N-th case.
  // bench-kernels FILE: the times of the kernels in a file.
  bool isFile = argc > 1 && !std::isdigit(argv[1][0]);
  int64_t wanted = argc > 1 ? std::strtol(argv[1], nullptr, 10) : -1,
          number = 0;
  mlir::DialectRegistry registry;
  lower::registerLowerDialects(registry);
  mlir::MLIRContext context(registry);
  if (isFile) {
    runFile(context, argv[1]);
    return 0;
  }
  fmt::print("{}\n", native::describeHost());
  for (const Case &c :
       {Case{"NN", 128, 256, 784},
        Case{"NN", 128, 256, 784, Epilogue::BiasRelu},
        Case{"NN", 128, 128, 256}, Case{"NN", 128, 10, 128},
        Case{"TN", 784, 256, 128}, Case{"TN", 784, 256, 128, Epilogue::Adam},
        Case{"TN", 256, 128, 128}, Case{"TN", 128, 10, 128},
        Case{"NT", 128, 784, 256}, Case{"NT", 128, 256, 128},
        Case{"NT", 128, 128, 10}, Case{"NN", 256, 256, 256},
        Case{"NN", 100, 256, 784}, Case{"NN", 1024, 1024, 1024},
        Case{"TN", 1024, 1024, 1024}, Case{"NT", 1024, 1024, 1024},
        Case{"TN", 512, 512, 4096}})
    if (wanted < 0)
      run(context, c);
    else if (number++ == wanted)
      compileCase(context, textOf(c), /*print=*/true);
}

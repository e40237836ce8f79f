// Compiles the text of a model file, in f64 unless it says otherwise, and runs
// its functions.
#pragma once

#include "compiler/Compiler.h"
#include "compiler/ast/SourceManager.h"
#include "runtime/Execution.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gradus {

using Numbers = std::vector<double>;

class ModelRunner {
public:
  /// Fails the test if the text is refused. The precision in `options` does not
  /// count.
  explicit ModelRunner(const std::string &text,
                       CompileOptions options = {.reference = true},
                       Precision precision = Precision::F64);

  /// A compiled function with buffers of its own.
  class Function {
  public:
    explicit Function(CompiledFunction compiled);
    /// Elements of a buffer, in row-major order.
    void set(const std::string &name, const Numbers &values);
    Numbers get(const std::string &name);
    void run() { execution.run(); }
    bool has(const std::string &name) { return execution.find(name) >= 0; }
    const std::vector<BufferInfo> &buffers() const {
      return execution.function().buffers;
    }

  private:
    Execution execution;
    std::vector<Tensor> tensors;
  };

  /// The exported function of that name, which has no generics.
  Function exported(const std::string &name);
  Function step(int64_t batch);
  std::map<std::string, Function> reports(int64_t batch);
  /// What was reported, rendered.
  std::string messages() const { return diagnostics.render(); }
  const typed::Program &program() const { return *checked; }

private:
  SourceManager sources;
  Diagnostics diagnostics;
  std::unique_ptr<const typed::Program> checked;
  std::unique_ptr<Compiler> compiler;
};

} // namespace gradus

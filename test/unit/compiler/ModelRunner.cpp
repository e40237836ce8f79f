// See ModelRunner.h.
#include "test/unit/compiler/ModelRunner.h"

#include "compiler/ast/Parser.h"
#include "compiler/check/Checker.h"

#include "gtest/gtest.h"

namespace gradus {

ModelRunner::ModelRunner(const std::string &text, CompileOptions options,
                         Precision precision) {
  auto file = parse(sources.add("model.nn", text), diagnostics);
  if (!diagnostics.hasErrors())
    checked = check(*file, {}, sources, diagnostics);
  if (!checked) {
    ADD_FAILURE() << diagnostics.render();
    throw std::runtime_error("the model is refused");
  }
  options.precision = precision;
  compiler = std::make_unique<Compiler>(*checked, options);
}

ModelRunner::Function::Function(CompiledFunction compiled)
    : execution(std::move(compiled)) {
  for (const BufferInfo &buffer : execution.function().buffers)
    tensors.emplace_back(buffer.element, buffer.shape);
  for (size_t i = 0; i < tensors.size(); ++i)
    execution.bind(i, tensors[i]);
}

void ModelRunner::Function::set(const std::string &name,
                                const Numbers &values) {
  int64_t index = execution.find(name);
  if (index < 0)
    return; // The function does not read it.
  Tensor &tensor = tensors[index];
  for (size_t i = 0; i < values.size(); ++i)
    tensor.set(i, values[i]);
}

Numbers ModelRunner::Function::get(const std::string &name) {
  int64_t index = execution.find(name);
  if (index < 0)
    throw std::runtime_error("no buffer " + name);
  Tensor &tensor = tensors[index];
  Numbers values(tensor.elements());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = tensor.at(i);
  return values;
}

ModelRunner::Function ModelRunner::exported(const std::string &name) {
  for (const typed::Function *function : checked->main->functions)
    if (function->name == name) {
      auto functions = compiler->exported(*function, {}, diagnostics);
      if (functions.empty())
        throw std::runtime_error(diagnostics.render());
      return Function(std::move(functions.begin()->second));
    }
  throw std::runtime_error("no function " + name);
}

ModelRunner::Function ModelRunner::step(int64_t batch) {
  auto functions = compiler->step(batch, diagnostics);
  if (functions.empty())
    throw std::runtime_error(diagnostics.render());
  return Function(std::move(functions.at("step")));
}

std::map<std::string, ModelRunner::Function>
ModelRunner::reports(int64_t batch) {
  std::map<std::string, Function> functions;
  auto compiled = compiler->reports(batch, diagnostics);
  if (compiled.empty())
    throw std::runtime_error(diagnostics.render());
  for (auto &[name, function] : compiled)
    functions.emplace(name, Function(std::move(function)));
  return functions;
}

} // namespace gradus

// See ModelSample.h.
#include "test/unit/property/ModelSample.h"

#include "compiler/ast/Parser.h"
#include "compiler/construct/Construct.h"
#include "compiler/construct/GraphFunction.h"

#include <stdexcept>

using namespace mlir;

namespace gradus::property {

Model::Model(const std::string &text) {
  auto file = parse(sources.add("model.nn", text), diagnostics);
  if (!diagnostics.hasErrors())
    program = check(*file, {}, sources, diagnostics);
  if (!program)
    throw std::logic_error(text + "\n" + diagnostics.render());
}

Sample sampleOf(const std::string &name, Model &model, const Domains &domains,
                FloatType real, bool training) {
  const typed::Function &caller = *model.program->main->functions.back();
  Sample sample;
  sample.module = construct::constructExport(
      *model.program, context(), real.isF32() ? Precision::F32 : Precision::F64,
      caller, {}, model.diagnostics, training);
  if (!sample.module)
    throw std::logic_error(model.diagnostics.render());
  func::FuncOp made = sample.function();
  sample.title = name;
  for (unsigned i = 0; i < made.getNumArguments(); ++i) {
    auto type = cast<RankedTensorType>(made.getArgumentTypes()[i]);
    StringRef path =
        made.getArgAttrOfType<StringAttr>(i, construct::nameAttr).getValue();
    sample.title += " " + shapeText(type.getShape());
    StringRef argument = path.substr(path.find('/') + 1);
    Numbers numbers;
    if (auto row = domains.find(name + "." + argument.str());
        row != domains.end())
      numbers = row->second;
    for (const typed::Local *local : caller.arguments)
      if (local->name == argument &&
          local->type.element == typed::ElementType::Index)
        numbers = {0, double(local->type.bound.evaluate({}) - 1), {}};
    sample.arguments.push_back({type, numbers});
  }
  return sample;
}

} // namespace gradus::property

// State of the model: an argument of the function until it is assigned; what
// was assigned last is a result of the step.
#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/Emitter.h"
#include "dialect/Graph.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace gradus::construct {

Value Emitter::storedState(const Instance &instance, const typed::State &state,
                           Range use) {
  Frame frame;
  frame.dims = instance.dims;
  return argument("state/" + instance.member(state.name),
                  typeOf(state.type, frame), use);
}

Value Emitter::visit(const typed::StateReference &node, const Expr &expr,
                     Frame &frame) {
  const Instance &instance =
      model.instances.find(*frame.self, node.instance, frame.dims);
  auto known = states.find({&instance, node.state});
  return known != states.end() ? known->second
                               : storedState(instance, *node.state, expr.range);
}

// What a loss has written into a state is a constant to all that reads it: its
// derivative would reach no further back than this step anyway.
void Emitter::assignState(const typed::AssignState &assign, Frame &frame) {
  const auto &[path, state] = assign.target;
  if (!function) {
    model.diagnostics.report(diag::StateInBackward, assign.value->range,
                             state->name);
    throw Refused();
  }
  // A loop that is kept carries variables, not states.
  if (!rolled.empty())
    throw CannotRoll();
  const Instance &instance =
      model.instances.find(*frame.self, path, frame.dims);
  Value value = emit(*assign.value, frame);
  if (graph::isReal(value))
    value = graph::StopOp::create(builder, locate(assign.value->range), value);
  setState(instance, *state, value);
}

Value Emitter::again(ArrayRef<std::pair<const Parameter *, Value>> values,
                     const States &before,
                     llvm::function_ref<Value()> evaluate) {
  llvm::SaveAndRestore keepParameters(updated);
  llvm::SaveAndRestore keepStates(states, before);
  llvm::SaveAndRestore keepSite(site, Site());
  llvm::SaveAndRestore keepNumber(updateNumber, Value());
  for (auto [parameter, value] : values)
    updateParameter(*parameter, value);
  return evaluate();
}

} // namespace gradus::construct

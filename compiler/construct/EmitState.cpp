// State of the model: an argument of the function until it is assigned; what
// was assigned last is a result of the step. Loops that are kept carry what
// their bodies read or assign; what they only read is no variable in the end.
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

Value Emitter::presentState(const Instance &instance, const typed::State &state,
                            Range use) {
  States::key_type key{&instance, &state};
  auto known = states.find(key);
  Value value =
      known != states.end() ? known->second : storedState(instance, state, use);
  for (Rolled &loop : llvm::drop_begin(rolled, firstCarrying)) {
    if (llvm::is_contained(llvm::make_first_range(loop.states), key))
      continue;
    auto carried = static_cast<unsigned>(loop.loop.getCarried().size());
    loop.loop.getCarriedMutable().append(value);
    // Behind the counter and what is carried already.
    value = loop.loop.getBody().front().insertArgument(
        1 + carried, value.getType(), value.getLoc());
    loop.states.emplace_back(key, value);
    states[key] = value;
  }
  return value;
}

Emitter::StateMark Emitter::markStates() const {
  return {states, rolled.empty() ? 0 : rolled.back().states.size()};
}

void Emitter::rewindStates(const StateMark &mark) {
  states = mark.states;
  if (rolled.size() > firstCarrying)
    for (auto [key, value] :
         llvm::drop_begin(rolled.back().states, mark.carried))
      states[key] = value;
}

Value Emitter::visit(const typed::StateReference &node, const Expr &expr,
                     Frame &frame) {
  return presentState(
      model.instances.find(*frame.self, node.instance, frame.dims), *node.state,
      expr.range);
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
  const Instance &instance =
      model.instances.find(*frame.self, path, frame.dims);
  Value value = emit(*assign.value, frame);
  if (graph::isReal(value))
    value = graph::StopOp::create(builder, locate(assign.value->range), value);
  if (!rolled.empty())
    presentState(instance, *state, assign.value->range);
  setState(instance, *state, value);
}

Value Emitter::again(ArrayRef<std::pair<const Parameter *, Value>> values,
                     const States &before,
                     llvm::function_ref<Value()> evaluate) {
  llvm::SaveAndRestore keepParameters(updated);
  llvm::SaveAndRestore keepStates(states, before);
  // What is assigned is gone before the round ends.
  llvm::SaveAndRestore carriesNot(firstCarrying, rolled.size());
  // Its draws are those of the loss, whatever loops and indices are around.
  llvm::SaveAndRestore keepSite(site, Site());
  llvm::SaveAndRestore keepLevels(levels, {});
  llvm::SaveAndRestore keepIndices(open, {});
  llvm::SaveAndRestore keepNumber(updateNumber, Value());
  for (auto [parameter, value] : values)
    updateParameter(*parameter, value);
  return evaluate();
}

} // namespace gradus::construct

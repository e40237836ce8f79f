// Derivatives as expressions: what they are taken of and by, as operands of the
// op that stands for them until they are taken.
#include "compiler/construct/Emitter.h"
#include "dialect/Duals.h"

using namespace mlir;

namespace gradus::construct {

/// What a derivative is taken by. `net.params` is one vector to the user, and
/// as many values as the network has parameters.
struct Emitter::Targets {
  SmallVector<Value> values;
  /// What the user calls each of the values.
  std::vector<std::string> names;
  struct Part {
    unsigned count = 1;
    /// The parts of one vector.
    bool isVector = false;
  };
  /// One for each target.
  SmallVector<Part> parts;

  void add(SmallVector<Value> found, const std::string &name, bool isVector) {
    llvm::append_range(values, found);
    names.insert(names.end(), found.size(), name);
    parts.push_back({static_cast<unsigned>(found.size()), isVector});
  }
};

Emitter::Targets Emitter::targetsOf(const typed::Derivative &node,
                                    Frame &frame) {
  Targets targets;
  for (const auto &[target, name] : llvm::zip_equal(node.targets, node.names)) {
    if (auto *local = std::get_if<typed::Local *>(&target)) {
      targets.add({frame.locals.lookup(*local).front()}, name, false);
    } else if (auto *one = std::get_if<typed::ParamReference>(&target)) {
      targets.add(
          {parameter(model.instances.parameter(
              model.instances.find(*frame.self, one->instance, frame.dims),
              one->param))},
          name, false);
    } else {
      const auto &all = std::get<typed::AllParams>(target);
      SmallVector<Value> values;
      for (const Parameter &each :
           model.instances.parameters(*frame.self, all.instance, frame.dims))
        values.push_back(parameter(each));
      targets.add(std::move(values), name, true);
    }
  }
  return targets;
}

Values Emitter::derivative(const typed::Derivative &node, const Expr &,
                           Frame &frame) {
  Value y = emit(*node.y, frame);
  Values vs = node.v ? emitAll(*node.v, frame) : Values();
  Targets targets = targetsOf(node, frame);
  std::string nameOfY(node.y->range.text());
  auto named = [&](auto op, std::string_view nameOfY,
                   ArrayRef<std::string> names) {
    SmallVector<StringRef> all{nameOfY};
    llvm::append_range(all, names);
    op->setAttr(graph::GraphDialect::namesAttrName,
                builder.getStrArrayAttr(all));
    return op;
  };

  // A direction for each value.
  auto directions = [&] {
    SmallVector<Value> result;
    ArrayRef<Value> values = targets.values;
    for (auto [part, v] : llvm::zip_equal(targets.parts, vs)) {
      int64_t begin = 0;
      for (Value value : values.take_front(part.count)) {
        auto type = cast<RankedTensorType>(value.getType());
        result.push_back(
            part.isVector ? graph::ReshapeOp::create(
                                builder, location,
                                sliceAlong(v, 0, begin, type.getNumElements()),
                                type.getShape())
                          : v);
        begin += type.getNumElements();
      }
      values = values.drop_front(part.count);
    }
    return result;
  };
  // Of the type of each target, from what is of the types of the values, both
  // behind as many axes.
  auto together = [&](ValueRange found, int64_t inFront = 0) {
    Values result;
    for (Targets::Part part : targets.parts) {
      SmallVector<Value> values(found.take_front(part.count));
      result.push_back(part.isVector ? flattened(values, inFront)
                                     : values.front());
      found = found.drop_front(part.count);
    }
    return result;
  };
  auto jacobian = [&](Value y, std::string_view name) {
    auto all =
        named(graph::JacobianOp::create(builder, location, y, targets.values),
              name, targets.names);
    return together(all.getJacobians(),
                    cast<RankedTensorType>(y.getType()).getRank());
  };

  if (node.op == typed::Builtin::Jacobian)
    return jacobian(y, nameOfY);
  if (node.op == typed::Builtin::Vjp)
    return together(
        named(graph::VjpOp::create(builder, location, y, vs, targets.values),
              nameOfY, targets.names)
            .getCotangents());
  if (node.op == typed::Builtin::Jvp) {
    // It is zero if it is so by all of them.
    std::vector<std::string> names(targets.names.size(),
                                   std::string(node.targetsRange.text()));
    return named(graph::JvpOp::create(builder, location, y, targets.values,
                                      directions()),
                 nameOfY, names)
        .getTangents();
  }
  auto gradient =
      named(graph::GradientOp::create(builder, location, y, targets.values),
            nameOfY, targets.names);
  if (node.op == typed::Builtin::Grad)
    return together(gradient.getGradients());
  std::string name =
      fmt::format("grad({}, {})", nameOfY, node.targetsRange.text());
  if (node.op == typed::Builtin::Hessian)
    return jacobian(together(gradient.getGradients()).front(), name);
  return together(
      named(graph::VjpOp::create(builder, location, gradient.getGradients(),
                                 directions(), targets.values),
            name, targets.names)
          .getCotangents());
}

} // namespace gradus::construct

// Operators: element types first, then shapes, which line up by name.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

bool Body::isTensor(std::string_view name, const Expr *operand) {
  if (operand->type.isTensor())
    return true;
  if (operand->type.isTuple())
    state.diagnostics.report(diag::NeedsTensor, operand->range, name,
                             quoted(*operand), operand->type.str());
  return false;
}

bool Body::isNumeric(std::string_view name, Range opRange, const Expr *operand,
                     bool needsReal) {
  if (!isTensor(name, operand))
    return false;
  ElementType element = operand->type.element;
  if (needsReal ? isReal(element) || isWeak(element) : isNumber(element))
    return true;
  std::string text = quoted(*operand);
  Diagnostic &error =
      needsReal ? state.diagnostics.report(diag::NeedsReal, opRange, name, text,
                                           operand->type.str())
                : state.diagnostics.report(diag::NeedsNumbers, opRange, name,
                                           text, operand->type.str());
  error.help(fmt::format("convert it first: `real({})`", text),
             Edit::around(operand->range, "real(", ")"));
  return false;
}

bool Body::isBool(std::string_view name, const Expr *operand) {
  if (!isTensor(name, operand))
    return false;
  if (operand->type.element == ElementType::Bool)
    return true;
  state.diagnostics
      .report(diag::NeedsBool, operand->range, name, quoted(*operand),
              strong(operand)->type.str())
      .help(fmt::format("compare it: `{} > 0`", quoted(*operand)),
            {Edit::after(operand->range, " > 0")});
  return false;
}

const Expr *Body::spread(const Expr *operand, const Shape &shape,
                         std::vector<unsigned> entries) {
  return make(operand->type.withShape(shape), operand->range,
              Broadcast{operand, std::move(entries)});
}

bool Body::sameElement(std::string_view name, Range opRange, const Expr *&left,
                       const Expr *&right) {
  ElementType a = left->type.element, b = right->type.element;
  if (isWeak(a) && isWeak(b))
    return true;
  if (isWeak(a))
    left = adapt(left, b, right->type.bound);
  else if (isWeak(b))
    right = adapt(right, a, left->type.bound);
  else if (a != b) {
    Diagnostic &error =
        state.diagnostics
            .report(diag::MixedElements, opRange, name, str(a), str(b))
            .label(left->range, left->type.str())
            .label(right->range, right->type.str());
    // The wider of the two is what the other becomes.
    auto width = [](ElementType element) {
      return isReal(element)               ? 3
             : element == ElementType::I64 ? 2
             : element == ElementType::I32 ? 1
                                           : 0;
    };
    const Expr *other = width(a) >= width(b) ? right : left;
    std::string_view type = str(width(a) >= width(b) ? a : b);
    if (width(a) || width(b))
      error.help(
          fmt::format("convert it first: `{}({})`", type, quoted(*other)),
          Edit::around(other->range, fmt::format("{}(", type), ")"));
    return false;
  }
  return !left->type.isPoison() && !right->type.isPoison();
}

static std::string describe(const std::vector<unsigned> &entries) {
  if (entries.size() == 1)
    return fmt::format("axis {}", entries[0]);
  return fmt::format("axes ({})", fmt::join(entries, ", "));
}

bool Body::lineUp(std::string_view name, Range opRange,
                  std::vector<const Expr *> &operands) {
  const Expr *target = operands[0];
  for (const Expr *operand : operands) {
    if (operand->type.isPoison() || target->type.isPoison())
      return false;
    if (operand->type.shape.size() > target->type.shape.size())
      target = operand;
  }
  for (const Expr *&operand : operands) {
    if (operand == target)
      continue;
    Join found = join(operand->type.shape, target->type.shape);
    if (found.kind == Join::Same) {
      require(found.deferred, opRange);
      continue;
    }
    if (found.kind == Join::SpreadLeft) {
      operand = spread(operand, target->type.shape, found.entries);
      continue;
    }
    bool isFirst = operand->range.begin <= target->range.begin;
    const Expr *left = isFirst ? operand : target;
    const Expr *right = isFirst ? target : operand;
    if (found.kind == Join::Ambiguous) {
      std::string places;
      for (const auto &way :
           placements(operand->type.shape, target->type.shape, 4))
        places += (places.empty() ? "" : " or ") + describe(way);
      state.diagnostics
          .report(diag::AmbiguousBroadcast, opRange, name, operand->type.str(),
                  target->type.str(), found.ways)
          .here(places + "?")
          .label(left->range, left->type.str())
          .label(right->range, right->type.str())
          .help("say which with indices: `let z[i, j] = a[i, j] - b[j]`; or "
                "give the two axes different dim names");
      return false;
    }
    const Shape &a = left->type.shape, &b = right->type.shape;
    Diagnostic &error = state.diagnostics
                            .report(diag::NoBroadcast, opRange, name,
                                    left->type.str(), right->type.str())
                            .label(left->range, left->type.str())
                            .label(right->range, right->type.str());
    auto comparison = compareShapes(a, b);
    if (comparison.differs)
      error.here(fmt::format("axis {} is {} and {}", *comparison.differs,
                             a[*comparison.differs].str(),
                             b[*comparison.differs].str()));
    auto endsInOne = [](const Shape &shape) {
      return !shape.empty() && !shape.back().isPack() &&
             shape.back().dim == Dim(1);
    };
    auto hasSize = [&](const Shape &shape, const Axis &wanted) {
      return std::any_of(shape.begin(), shape.end(), [&](const Axis &axis) {
        return !axis.isPack() && !wanted.isPack() &&
               compareEqual(axis.dim, wanted.dim) == Verdict::Proved;
      });
    };
    const Shape &small = operand->type.shape;
    bool differsByName = small.size() < target->type.shape.size() &&
                         std::all_of(
                             small.begin(), small.end(),
                             [&](const Axis &axis) {
                               return hasSize(target->type.shape, axis);
                             });
    if (endsInOne(a) != endsInOne(b)) {
      const Expr *one = endsInOne(a) ? left : right;
      Suffixed dropped = suffixed(*one, "[.., 0]");
      error.help(fmt::format("`{}` has a last axis of size 1, which never "
                             "stretches; drop it with `{}`",
                             quoted(*one), dropped.text),
                 dropped.edits);
    } else if (differsByName) {
      error.note("dims line up by name, not by size");
    } else if (a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0]) {
      Suffixed transposed = suffixed(*right, ".T");
      error.help(fmt::format("the shapes agree if one side is transposed: "
                             "write `{}`",
                             transposed.text),
                 transposed.edits);
    }
    return false;
  }
  return true;
}

const Expr *Body::elementwise(Builtin op, std::string_view name, Range opRange,
                              Range range, std::vector<const Expr *> operands,
                              std::optional<ElementType> result) {
  if (!lineUp(name, opRange, operands))
    return poison(range);
  // The last operand has the element type of the result of a `where`.
  Type type = operands.back()->type;
  if (result)
    type = type.withElement(*result);
  type.shape = operands[0]->type.shape;
  return make(std::move(type), range,
              Elementwise{op, std::move(operands), opRange});
}

const Expr *Body::unary(const ast::Expr &expr, const ast::Unary &tree) {
  const Expr *operand = value(*tree.operand);
  if (operand->type.isPoison())
    return poison(expr.range);
  if (tree.op == ast::UnaryOp::Not)
    return isBool("not", operand)
               ? elementwise(Builtin::Not, "not", tree.opRange, expr.range,
                             {operand})
               : poison(expr.range);
  if (!isNumeric("-", tree.opRange, operand, /*needsReal=*/false))
    return poison(expr.range);
  // A negative literal stays a literal.
  if (auto *number = operand->as<Number>())
    return make(operand->type, expr.range, Number{-number->value});
  return elementwise(Builtin::Neg, "-", tree.opRange, expr.range, {operand});
}

const Expr *Body::arithmetic(Builtin op, std::string_view name, Range opRange,
                             Range range, const Expr *left, const Expr *right) {
  if (left->type.isPoison() || right->type.isPoison())
    return poison(range);
  bool needsReal = op == Builtin::Div || op == Builtin::Pow;
  if (!isNumeric(name, opRange, left, needsReal) ||
      !isNumeric(name, opRange, right, needsReal) ||
      !sameElement(name, opRange, left, right))
    return poison(range);
  std::optional<ElementType> result;
  if (isWeak(left->type.element) && isWeak(right->type.element)) {
    bool isWhole = left->type.element == ElementType::WeakWhole &&
                   right->type.element == ElementType::WeakWhole &&
                   op != Builtin::Div;
    if (op == Builtin::Pow)
      isWhole &= evaluate(*right).value_or(-1) >= 0;
    result = isWhole ? ElementType::WeakWhole : ElementType::WeakReal;
  }
  return elementwise(op, name, opRange, range, {left, right}, result);
}

const Expr *Body::comparison(Builtin op, std::string_view name, Range opRange,
                             Range range, const Expr *left, const Expr *right) {
  if (left->type.isPoison() || right->type.isPoison())
    return poison(range);
  if (!isTensor(name, left) || !isTensor(name, right))
    return poison(range);
  bool isEquality = op == Builtin::Equal || op == Builtin::NotEqual;
  for (const Expr *operand : {left, right})
    if (operand->type.element == ElementType::Bool && !isEquality) {
      isNumeric(name, opRange, operand, /*needsReal=*/false);
      return poison(range);
    }
  if (!sameElement(name, opRange, left, right))
    return poison(range);
  left = strong(left);
  right = strong(right);
  if (left->type.element == ElementType::Index) {
    const Dim &a = left->type.bound, &b = right->type.bound;
    if (!require(a, Relation::Equal, b, opRange)) {
      state.diagnostics
          .report(diag::IndexMix, opRange, name, left->type.withShape({}).str(),
                  right->type.withShape({}).str())
          .label(left->range, left->type.str())
          .label(right->range, right->type.str());
      return poison(range);
    }
  }
  return elementwise(op, name, opRange, range, {left, right},
                     ElementType::Bool);
}

const Expr *Body::binary(const ast::Expr &expr, const ast::Binary &tree) {
  const Expr *left = value(*tree.left);
  const Expr *right = value(*tree.right);
  return binary(expr, tree, left, right);
}

const Expr *Body::binary(const ast::Expr &expr, const ast::Binary &tree,
                         const Expr *left, const Expr *right) {
  std::string_view name = ast::spelling(tree.op);
  Range range = expr.range, opRange = tree.opRange;
  if (left->type.isPoison() || right->type.isPoison())
    return poison(range);
  switch (tree.op) {
  case ast::BinaryOp::And:
  case ast::BinaryOp::Or:
    if (!isBool(name, left) || !isBool(name, right))
      return poison(range);
    return elementwise(tree.op == ast::BinaryOp::And ? Builtin::And
                                                     : Builtin::Or,
                       name, opRange, range, {left, right});
  case ast::BinaryOp::Equal:
    return comparison(Builtin::Equal, name, opRange, range, left, right);
  case ast::BinaryOp::NotEqual:
    return comparison(Builtin::NotEqual, name, opRange, range, left, right);
  case ast::BinaryOp::Less:
    return comparison(Builtin::Less, name, opRange, range, left, right);
  case ast::BinaryOp::LessEqual:
    return comparison(Builtin::LessEqual, name, opRange, range, left, right);
  case ast::BinaryOp::Greater:
    return comparison(Builtin::Greater, name, opRange, range, left, right);
  case ast::BinaryOp::GreaterEqual:
    return comparison(Builtin::GreaterEqual, name, opRange, range, left, right);
  case ast::BinaryOp::Add:
    return arithmetic(Builtin::Add, name, opRange, range, left, right);
  case ast::BinaryOp::Subtract:
    return arithmetic(Builtin::Sub, name, opRange, range, left, right);
  case ast::BinaryOp::Multiply:
    return arithmetic(Builtin::Mul, name, opRange, range, left, right);
  case ast::BinaryOp::Divide:
    return arithmetic(Builtin::Div, name, opRange, range, left, right);
  case ast::BinaryOp::Power:
    return arithmetic(Builtin::Pow, name, opRange, range, left, right);
  case ast::BinaryOp::MatMul:
    return matmul(opRange, range, left, right);
  case ast::BinaryOp::FloorDivide:
  case ast::BinaryOp::Remainder:
    break;
  }
  // Of values; of dims it is a dim.
  auto isWhole = [](const Expr *operand) {
    return operand->type.element == ElementType::I32 ||
           operand->type.element == ElementType::I64;
  };
  auto fits = [&](const Expr *operand) {
    return operand->type.isTensor() &&
           (isWhole(operand) ||
            operand->type.element == ElementType::WeakWhole);
  };
  if (fits(left) && fits(right) && (isWhole(left) || isWhole(right)))
    return arithmetic(tree.op == ast::BinaryOp::FloorDivide
                          ? Builtin::FloorDiv
                          : Builtin::Remainder,
                      name, opRange, range, left, right);
  for (const Expr *operand : {left, right})
    if (!fits(operand)) {
      state.diagnostics.report(diag::NeedsWhole, opRange, name)
          .label(operand->range, operand->type.str())
          .help("for real numbers there is `floor(a / b)`");
      return poison(range);
    }
  if (!freeIndices(*left).empty() || !freeIndices(*right).empty())
    return indexQuotient(expr, tree, left, right);
  auto whole = dim(expr);
  if (!whole)
    return poison(range);
  return make(Type::tensor(ElementType::WeakWhole), range, DimValue{*whole});
}

const Expr *Body::matmul(Range opRange, Range range, const Expr *left,
                         const Expr *right) {
  if (!isNumeric("@", opRange, left, /*needsReal=*/true) ||
      !isNumeric("@", opRange, right, /*needsReal=*/true) ||
      !sameElement("@", opRange, left, right))
    return poison(range);
  const Shape &a = left->type.shape, &b = right->type.shape;
  for (const Expr *operand : {left, right}) {
    const Shape &shape = operand->type.shape;
    bool isLeft = operand == left;
    // The contracted axis has to be a dim: the last one, or on the right the
    // last but one of two.
    size_t needed = isLeft || shape.size() < 2 ? 1 : 2;
    if (shape.size() < needed ||
        std::any_of(shape.end() - needed, shape.end(),
                    [](const Axis &axis) { return axis.isPack(); })) {
      state.diagnostics
          .report(diag::OperandRank, opRange, "@",
                  isLeft ? "a last axis on its left"
                         : "a vector or a matrix on its right",
                  strong(operand)->type.str())
          .label(operand->range, strong(operand)->type.str())
          .help("to multiply by a number write `*`");
      return poison(range);
    }
  }
  unsigned leftEntry = a.size() - 1;
  unsigned rightEntry = b.size() == 1 ? 0 : b.size() - 2;
  unsigned batch = b.size() > 2 ? b.size() - 2 : 0;
  auto types = [&](Diagnostic &error) -> Diagnostic & {
    return error.label(left->range, left->type.str())
        .label(right->range, right->type.str());
  };
  Verdict inner = compareEqual(a[leftEntry].dim, b[rightEntry].dim);
  if (inner == Verdict::Refuted) {
    Diagnostic &error = types(state.diagnostics.report(
        diag::InnerDims, opRange, a[leftEntry].str(), b[rightEntry].str()));
    if (b.size() == 2 && !b[1].isPack() &&
        compareEqual(a[leftEntry].dim, b[1].dim) == Verdict::Proved) {
      Suffixed transposed = suffixed(*right, ".T");
      error.help(fmt::format("the inner dims agree if the right side is "
                             "transposed: write `{}`",
                             transposed.text),
                 transposed.edits);
    }
    return poison(range);
  }
  if (inner == Verdict::Deferred)
    require({{a[leftEntry].dim, b[rightEntry].dim}}, opRange);
  Shape leadingLeft(a.begin(), a.begin() + std::min<size_t>(batch, leftEntry));
  Shape leadingRight(b.begin(), b.begin() + batch);
  auto leading = compareShapes(leadingLeft, leadingRight);
  if (!leading.isEqual) {
    types(state.diagnostics.report(diag::LeadingDims, opRange, str(leadingLeft),
                                   str(leadingRight)));
    return poison(range);
  }
  require(leading.deferred, opRange);
  Shape result(a.begin(), a.begin() + leftEntry);
  if (b.size() > 1)
    result.push_back(b.back());
  return make(left->type.withShape(std::move(result)), range,
              Contract{left, right, batch, leftEntry, rightEntry});
}

} // namespace gradus::typed

// Expressions by what they are, and how weak numbers find their type.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <cmath>
#include <cstring>

namespace gradus::typed {

std::string shortened(std::string_view text) {
  std::string result;
  for (char c : text.substr(0, text.find('\n')))
    result += c;
  bool isCut = result.size() != text.size();
  // A cut must not fall into a character.
  if (result.size() > 40) {
    result.resize(37);
    while (!result.empty() && (result.back() & 0x80))
      result.pop_back();
    isCut = true;
  }
  while (isCut && !result.empty() && result.back() == ' ')
    result.pop_back();
  return isCut ? result + " ..." : result;
}

std::string quoted(const Expr &expr) { return shortened(expr.range.text()); }

Suffixed suffixed(const Expr &expr, std::string_view suffix) {
  // Names, members, calls, subscripts and what stands in parentheses take a
  // suffix as they are.
  bool isPostfix = true;
  int depth = 0;
  for (char c : expr.range.text()) {
    depth -= c == ')' || c == ']';
    isPostfix &= depth > 0 || std::isalnum(static_cast<unsigned char>(c)) ||
                 (c & 0x80) || std::strchr("_.()[]", c);
    depth += c == '(' || c == '[';
  }
  if (isPostfix)
    return {fmt::format("{}{}", quoted(expr), suffix),
            {Edit::after(expr.range, std::string(suffix))}};
  return {fmt::format("({}){}", quoted(expr), suffix),
          Edit::around(expr.range, "(", fmt::format("){}", suffix))};
}

const Expr *Body::poison(Range range) {
  return make(Type::poison(), range, Number{0});
}

const Expr *Body::value(const ast::Expr &expr) {
  CheckerState::Level level(state);
  Range range = expr.range;
  if (auto *number = expr.as<ast::Number>())
    return make(Type::tensor(number->integer ? ElementType::WeakWhole
                                             : ElementType::WeakReal),
                range, Number{number->value});
  if (auto *boolean = expr.as<ast::Bool>())
    return make(Type::tensor(ElementType::Bool), range,
                Number{boolean->value ? 1.0 : 0.0});
  if (expr.as<ast::NameUse>())
    return entityValue(entity(expr), expr);
  if (auto *tree = expr.as<ast::Member>())
    return member(expr, *tree);
  if (auto *tree = expr.as<ast::Tuple>())
    return tuple(range, *tree);
  if (auto *tree = expr.as<ast::Unary>())
    return unary(expr, *tree);
  if (auto *tree = expr.as<ast::Binary>())
    return binary(expr, *tree);
  if (auto *tree = expr.as<ast::Pipe>())
    return pipe(expr, *tree);
  if (auto *tree = expr.as<ast::Call>())
    return called(range, *tree);
  if (auto *tree = expr.as<ast::Index>())
    return index(expr, *tree);
  if (expr.as<ast::String>())
    state.diagnostics.report(diag::NotAValue, range, shortened(range.text()),
                             "a text");
  else if (expr.as<ast::Slice>())
    state.diagnostics.report(diag::NotAValue, range, shortened(range.text()),
                             "a range");
  else if (auto *tree = expr.as<ast::List>())
    return list(expr, *tree);
  return poison(range);
}

const Expr *Body::member(const ast::Expr &expr, const ast::Member &tree) {
  Entity found = entity(expr);
  if (found.kind != Entity::Value)
    return entityValue(found, expr);
  const Expr *operand = strong(*tree.base);
  if (operand->type.isPoison())
    return poison(expr.range);
  if (!operand->type.isTensor() || operand->type.hasPack() ||
      operand->type.shape.size() != 2) {
    state.diagnostics
        .report(diag::OperandRank, tree.member.range, ".T", "a matrix",
                operand->type.str())
        .label(operand->range);
    return poison(expr.range);
  }
  const Shape &shape = operand->type.shape;
  return make(operand->type.withShape({shape[1], shape[0]}), expr.range,
              Transpose{operand});
}

const Expr *Body::tuple(Range range, const ast::Tuple &tree) {
  std::vector<const Expr *> elements;
  std::vector<Type> types;
  bool isPoison = false;
  for (const auto &element : tree.elements) {
    elements.push_back(strong(*element));
    types.push_back(elements.back()->type);
    isPoison |= types.back().isPoison();
  }
  if (isPoison)
    return poison(range);
  return make(Type::tuple(std::move(types)), range, Tuple{std::move(elements)});
}

const Expr *Body::called(Range range, const ast::Call &tree) {
  CallSite site;
  site.range = range;
  site.calleeRange = tree.callee->range;
  for (const ast::Argument &argument : tree.arguments)
    site.arguments.push_back({argument.name ? &*argument.name : nullptr,
                              argument.value.get(), argument.value->range,
                              nullptr});
  return call(*tree.callee, std::move(site));
}

// `[1, 2]` is real[2], `[[1, 2], [3, 4]]` is real[2, 2]: the elements stacked
// on a new first axis.
const Expr *Body::list(const ast::Expr &expr, const ast::List &tree) {
  std::vector<const Expr *> elements;
  for (const auto &element : tree.elements) {
    elements.push_back(strong(*element));
    if (elements.back()->type.isPoison() || !isTensor("[ ]", elements.back()))
      return poison(expr.range);
  }
  if (elements.empty()) {
    state.diagnostics.report(diag::DimTooSmall, expr.range, 0)
        .here("no elements");
    return poison(expr.range);
  }
  const Expr *first = elements.front();
  for (const Expr *&element : elements) {
    if (!fitsType(first->type, element->type, element->range)) {
      state.diagnostics
          .report(diag::ListElements, element->range, first->type.str(),
                  element->type.str())
          .label(elements.front()->range, first->type.str());
      return poison(expr.range);
    }
    Shape shape = element->type.shape;
    shape.insert(shape.begin(), Axis(1));
    element = make(element->type.withShape(std::move(shape)), element->range,
                   Reshape{element});
  }
  if (elements.size() == 1)
    return elements.front();
  Type type = elements.front()->type;
  type.shape.front() = Axis(int64_t(elements.size()));
  return make(std::move(type), expr.range, Concat{std::move(elements), 0});
}

const Expr *Body::strong(const Expr *expr) {
  return expr->type.isTensor() && isWeak(expr->type.element)
             ? adapt(expr, ElementType::Real, Dim())
             : expr;
}

const Expr *Body::strong(const ast::Expr &expr) { return strong(value(expr)); }

const Expr *Body::adapt(const Expr *expr, ElementType element,
                        const Dim &bound) {
  if (!expr->type.isTensor() || !isWeak(expr->type.element))
    return expr;
  Type type = Type::tensor(element, expr->type.shape, bound);
  auto misfit = [&]() {
    state.diagnostics.report(diag::LiteralDoesNotFit, expr->range,
                             fmt::format("`{}`", quoted(*expr)), type.str());
    return poison(expr->range);
  };
  if (element == ElementType::Bool)
    return misfit();
  bool needsWhole = !isReal(element) && !isWeak(element);
  if (needsWhole && expr->type.element == ElementType::WeakReal)
    return misfit();
  if (auto number = evaluate(*expr); number && needsWhole) {
    double least = element == ElementType::I32   ? -0x1p31
                   : element == ElementType::I64 ? -0x1p63
                                                 : 0;
    double most = element == ElementType::I32   ? 0x1p31 - 1
                  : element == ElementType::I64 ? 0x1p63
                  : element == ElementType::U8  ? 255
                                                : 0x1p31 - 1;
    if (element == ElementType::Index && bound.constant())
      most = *bound.constant() - 1;
    if (*number < least || *number > most)
      return misfit();
  }
  // The counter of a loop as an index or a byte.
  if (auto *counted = expr->as<DimValue>();
      counted && needsWhole && counted->dim.hasCounter()) {
    Dim end = element == ElementType::Index ? bound
              : element == ElementType::U8  ? Dim(256)
                                            : Dim(int64_t(1) << 31);
    if (!require(Dim(0), Relation::LessEqual, counted->dim, expr->range) ||
        !require(counted->dim, Relation::Less, end, expr->range))
      return misfit();
  }
  // An index of index notation is an index(K) if it runs no further than K.
  if (element == ElementType::Index && !freeIndices(*expr).empty()) {
    auto *reference = expr->as<LocalReference>();
    if (!reference)
      return misfit();
    indexUses.push_back({{Dim(), {{reference->local, Dim(1)}}},
                         nullptr,
                         bound,
                         expr->range,
                         type});
  }
  if (auto *operation = expr->as<Elementwise>()) {
    Elementwise result = {operation->op, {}, operation->opRange};
    for (const Expr *operand : operation->operands)
      result.operands.push_back(adapt(operand, element, bound));
    return make(std::move(type), expr->range, std::move(result));
  }
  return make(std::move(type), expr->range, expr->node);
}

const Expr *Body::declared(const ast::Expr &expr, const Type &type,
                           std::string_view name) {
  return declared(value(expr), expr.range, type, name);
}

const Expr *Body::declared(const Expr *found, Range range, const Type &type,
                           std::string_view name) {
  if (type.isPoison() || found->type.isPoison())
    return poison(range);
  if (type.isTensor())
    found = adapt(found, type.element, type.bound);
  if (found->type.isPoison())
    return found;
  auto fits = [&](const Type &a, const Type &b) {
    if (!a.isTensor() || !b.isTensor() || a.element != b.element)
      return a == b;
    if (a.element == ElementType::Index) {
      Verdict verdict = compareEqual(a.bound, b.bound);
      if (verdict == Verdict::Refuted)
        return false;
      if (verdict == Verdict::Deferred)
        require({{a.bound, b.bound}}, range);
    }
    auto comparison = compareShapes(a.shape, b.shape);
    require(comparison.deferred, range);
    return comparison.isEqual;
  };
  if (found->type.isScalar() && type.isTensor() && !type.shape.empty() &&
      found->type.element == type.element)
    return spread(found, type.shape, {});
  if (fits(type, found->type))
    return found;
  state.diagnostics.report(diag::DeclaredType, range, name, type.str(),
                           strong(found)->type.str());
  return poison(range);
}

const Expr *Body::realScalar(const ast::Expr &expr, std::string_view name) {
  const Expr *found = strong(expr);
  if (found->type.isPoison())
    return found;
  if (found->type.isScalar() && found->type.element == ElementType::Real)
    return found;
  Diagnostic &error = state.diagnostics.report(diag::NeedsOneNumber, expr.range,
                                               name, found->type.str());
  if (found->type.isTensor() && isReal(found->type.element) && purpose == Train)
    error.help(fmt::format("take the mean: `mean({})`", quoted(*found)),
               Edit::around(found->range, "mean(", ")"));
  return poison(expr.range);
}

} // namespace gradus::typed

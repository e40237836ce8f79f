// Index notation: `let c[i, j] = e` and `sum[k](e)`. An index is a local; it
// gets its range where it stands bare as a subscript, or as it is written. What
// else is subscripted with indices is kept until all ranges are known and then
// proved to lie within its axis.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

Local *Body::openIndex(const ast::Name &name, const ast::Expr *extent,
                       bool isOnLeft) {
  Local *index = state.makeLocal(Local::Index, name.text, name.range,
                                 Type::tensor(ElementType::WeakWhole));
  OpenIndex open = {index, isOnLeft, extent != nullptr, std::nullopt};
  if (loopNames.contains(name.text)) {
    state.diagnostics.report(diag::DeclaredTwice, name.range, name.text)
        .label(usedNames.at(name.text), "declared here first")
        .help("no local name is used again; take another one");
    index->type = Type::poison();
  }
  for (const auto &block : blocks)
    if (auto found = block.find(name.text); found != block.end()) {
      state.diagnostics.report(diag::DeclaredTwice, name.range, name.text)
          .label(found->second->range, "declared here first")
          .help("no local name is used again; take another one");
      index->type = Type::poison();
      if (found->second->kind == Local::Index)
        found->second->type = Type::poison();
    }
  blocks.back()[name.text] = index;
  if (extent) {
    open.source = extent->range;
    if (auto size = this->size(*extent))
      index->extent = *size;
    else
      index->type = Type::poison();
  }
  openIndices.push_back(open);
  return index;
}

size_t Body::enterIndices() {
  ++indexDepth;
  blocks.emplace_back();
  return state.diagnostics.errorCount();
}

bool Body::leaveIndices(const std::vector<Local *> &indices, size_t errors) {
  blocks.pop_back();
  // What could not be read may have given a range.
  bool isGood = errors == state.diagnostics.errorCount();
  if (!isGood)
    for (Local *index : indices)
      index->type = Type::poison();
  for (const OpenIndex &open : openIndices) {
    if (open.local->type.isPoison())
      isGood = false;
    if (open.source || open.local->type.isPoison() ||
        std::ranges::find(indices, open.local) == indices.end())
      continue;
    state.diagnostics
        .report(diag::IndexWithoutRange, open.local->range, open.local->name)
        .note("an index ranges over the axis where it stands alone: `x[i]`")
        .help(fmt::format("say how far it runs: `{}: N`", open.local->name));
    open.local->type = Type::poison();
    isGood = false;
  }
  if (--indexDepth > 0)
    return isGood;
  for (const IndexUse &use : indexUses)
    isGood &= isInRange(use);
  indexUses.clear();
  openIndices.clear();
  return isGood;
}

bool Body::useBare(const Local *index, const IndexUse &use) {
  auto open = std::ranges::find(openIndices, index, &OpenIndex::local);
  if (open->isExplicit) {
    indexUses.push_back(use);
    return true;
  }
  if (!open->source) {
    open->local->extent = use.extent;
    open->source = use.range;
    return true;
  }
  Verdict verdict = compareEqual(index->extent, use.extent);
  if (verdict == Verdict::Deferred)
    require({{index->extent, use.extent}}, use.range);
  if (verdict != Verdict::Refuted)
    return true;
  state.diagnostics.report(diag::IndexOverTwoDims, use.range, index->name)
      .here(fmt::format("{} here", use.extent.str()))
      .label(*open->source, fmt::format("{} here", index->extent.str()));
  return false;
}

static bool isAtLeast(const Dim &dim, int64_t bound) {
  return compare(Dim(bound), Relation::LessEqual, dim) == Verdict::Proved;
}

/// x of `floor((x + 1/2) / c)`, which `indexQuotient` makes of `x // c`; null
/// for anything else.
static const Elementwise *asQuotient(const Expr &expr) {
  auto *floor = expr.as<Elementwise>();
  if (!floor || floor->op != Builtin::Floor)
    return nullptr;
  return floor->operands[0]->as<Elementwise>();
}

// An expression made by `affine` and `indexQuotient` only; nothing for others.
std::optional<Body::Reach> Body::reachOf(const Expr &expr) {
  if (auto value = expr.as<DimValue>())
    return Reach{value->dim, value->dim};
  if (auto number = evaluate(expr))
    return Reach{Dim(int64_t(*number)), Dim(int64_t(*number))};
  if (auto *reference = expr.as<LocalReference>();
      reference && reference->local->kind == Local::Index)
    return Reach{Dim(0), reference->local->extent - Dim(1)};
  auto *node = expr.as<Elementwise>();
  if (!node)
    return std::nullopt;
  if (auto *quotient = asQuotient(expr)) {
    auto *sum = quotient->operands[0]->as<Elementwise>();
    auto x = reachOf(*sum->operands[0]);
    auto by = reachOf(*quotient->operands[1]);
    if (!x || !by)
      return std::nullopt;
    return Reach{Dim::floorDivide(x->least, by->least),
                 Dim::floorDivide(x->most, by->least)};
  }
  std::optional<Reach> a = reachOf(*node->operands[0]), b;
  if (node->operands.size() == 2)
    b = reachOf(*node->operands[1]);
  // `x - c * (x // c)` is a remainder.
  if (auto *product = node->op == Builtin::Sub
                          ? node->operands[1]->as<Elementwise>()
                          : nullptr;
      product && product->op == Builtin::Mul &&
      asQuotient(*product->operands[1]) &&
      asQuotient(*product->operands[1])
              ->operands[0]
              ->as<Elementwise>()
              ->operands[0] == node->operands[0]) {
    auto by = reachOf(*product->operands[0]);
    return by ? std::optional(Reach{Dim(0), by->most - Dim(1)}) : std::nullopt;
  }
  if (!a || (node->operands.size() == 2 && !b))
    return std::nullopt;
  switch (node->op) {
  case Builtin::Neg:
    return Reach{-a->most, -a->least};
  case Builtin::Add:
    return Reach{a->least + b->least, a->most + b->most};
  case Builtin::Sub:
    return Reach{a->least - b->most, a->most - b->least};
  case Builtin::Mul: {
    if (b->least == b->most)
      std::swap(a, b);
    if (!(a->least == a->most))
      return std::nullopt;
    if (isAtLeast(a->least, 0))
      return Reach{a->least * b->least, a->least * b->most};
    if (isAtLeast(-a->least, 0))
      return Reach{a->least * b->most, a->least * b->least};
    return std::nullopt;
  }
  default:
    return std::nullopt;
  }
}

const Expr *Body::indexQuotient(const ast::Expr &expr, const ast::Binary &tree,
                                const Expr *left, const Expr *right) {
  Range range = expr.range, opRange = tree.opRange;
  auto by = dim(*tree.right);
  if (!by)
    return poison(range);
  if (!require(Dim(1), Relation::LessEqual, *by, tree.right->range)) {
    state.diagnostics.report(diag::DimTooSmall, tree.right->range, by->str());
    return poison(range);
  }
  auto apply = [&](Builtin op, std::vector<const Expr *> operands,
                   ElementType element) {
    return elementwise(op, str(op), opRange, range, std::move(operands),
                       element);
  };
  // Where x / c is whole, rounding must not get below it.
  const Expr *half =
      make(Type::tensor(ElementType::WeakReal), range, Number{0.5});
  const Expr *quotient = apply(
      Builtin::Floor,
      {apply(Builtin::Div,
             {apply(Builtin::Add, {left, half}, ElementType::WeakReal), right},
             ElementType::WeakReal)},
      ElementType::WeakWhole);
  if (tree.op == ast::BinaryOp::FloorDivide)
    return quotient;
  return apply(
      Builtin::Sub,
      {left, apply(Builtin::Mul, {right, quotient}, ElementType::WeakWhole)},
      ElementType::WeakWhole);
}

bool Body::isInRange(const IndexUse &use) {
  Reach reach = {use.position.constant, use.position.constant};
  bool isOnLeft = false;
  auto fail = [&]() -> Diagnostic & {
    return state.diagnostics.report(diag::IndexPastEnd, use.range,
                                    use.type.str());
  };
  auto isKnown = [&](const Local *index) {
    auto open = std::ranges::find(openIndices, index, &OpenIndex::local);
    isOnLeft |= open->isOnLeft;
    return !index->type.isPoison();
  };
  for (const auto &[index, coefficient] : use.position.terms) {
    if (!isKnown(index))
      return false;
    Dim far = coefficient * (index->extent - Dim(1));
    if (isAtLeast(coefficient, 0)) {
      reach.most = reach.most + far;
    } else if (isAtLeast(-coefficient, 0)) {
      reach.least = reach.least + far;
    } else {
      fail().here(fmt::format("`{}` may have either sign", coefficient.str()));
      return false;
    }
  }
  if (use.form) {
    for (const Local *index : freeIndices(*use.form))
      if (!isKnown(index))
        return false;
    reach = *reachOf(*use.form);
  }
  const auto &[least, most] = reach;
  std::string help =
      fmt::format("shorten the range of the index{}, or `pad` the input",
                  isOnLeft ? " on the left" : "");
  if (!require(most, Relation::Less, use.extent, use.range)) {
    fail()
        .here(fmt::format("reaches {}, but this axis stops at {}",
                          most.greatestOverLoops().str(),
                          (use.extent - Dim(1)).str()))
        .help(help);
    return false;
  }
  if (!require(Dim(0), Relation::LessEqual, least, use.range)) {
    fail()
        .here(fmt::format("reaches {}, but this axis starts at 0",
                          least.leastOverLoops().str()))
        .help(help);
    return false;
  }
  return true;
}

std::optional<Affine> Body::affine(const ast::Expr &expr) {
  auto scaled = [](Affine form, const Dim &by) {
    form.constant = form.constant * by;
    for (auto &[index, coefficient] : form.terms)
      coefficient = coefficient * by;
    std::erase_if(form.terms,
                  [](const auto &term) { return term.second == Dim(0); });
    return form;
  };
  auto plus = [](Affine a, const Affine &b) {
    a.constant = a.constant + b.constant;
    for (const auto &[index, coefficient] : b.terms) {
      auto found = std::ranges::find(
          a.terms, index, [](const auto &term) { return term.first; });
      if (found == a.terms.end())
        a.terms.emplace_back(index, coefficient);
      else
        found->second = found->second + coefficient;
    }
    std::erase_if(a.terms,
                  [](const auto &term) { return term.second == Dim(0); });
    return a;
  };
  if (expr.as<ast::NameUse>())
    if (Entity found = entity(expr);
        found.kind == Entity::Local && found.local->kind == Local::Index)
      return Affine{Dim(), {{found.local, Dim(1)}}};
  if (isFixed(expr).value_or(false)) {
    auto constant = dim(expr);
    return constant ? std::optional(Affine{*constant, {}}) : std::nullopt;
  }
  if (auto *unary = expr.as<ast::Unary>();
      unary && unary->op == ast::UnaryOp::Negate) {
    auto operand = affine(*unary->operand);
    return operand ? std::optional(scaled(*operand, Dim(-1))) : std::nullopt;
  }
  auto *binary = expr.as<ast::Binary>();
  if (!binary || (binary->op != ast::BinaryOp::Add &&
                  binary->op != ast::BinaryOp::Subtract &&
                  binary->op != ast::BinaryOp::Multiply))
    return std::nullopt;
  auto left = affine(*binary->left), right = affine(*binary->right);
  if (!left || !right)
    return std::nullopt;
  if (binary->op == ast::BinaryOp::Add)
    return plus(*left, *right);
  if (binary->op == ast::BinaryOp::Subtract)
    return plus(*left, scaled(*right, Dim(-1)));
  if (left->terms.empty())
    return scaled(*right, left->constant);
  if (right->terms.empty())
    return scaled(*left, right->constant);
  return std::nullopt;
}

bool Body::isOneNumber(const Expr *element) {
  if (element->type.isPoison())
    return false;
  if (freeIndices(*element).empty())
    return true;
  if (!element->type.isScalar()) {
    state.diagnostics.report(diag::IndexedArray, element->range,
                             element->type.str());
    return false;
  }
  if (auto *derivative = element->as<Derivative>()) {
    state.refuse(element->range,
                 fmt::format("`{}` of what depends on an index is",
                             str(derivative->op)));
    return false;
  }
  for (const Expr *operand : operandsOf(*element))
    if (!isOneNumber(operand))
      return false;
  return true;
}

const Expr *Body::forEach(const ast::Let &let) {
  size_t errors = enterIndices();
  std::vector<Local *> indices;
  for (const ast::IndexVariable &index : let.indices)
    indices.push_back(openIndex(index.name, index.extent.get(), true));
  const Expr *element = strong(*let.value);
  bool isGood = isOneNumber(element);
  if (isGood && !element->type.isScalar()) {
    state.diagnostics.report(diag::IndexedArray, element->range,
                             element->type.str());
    isGood = false;
  }
  if (!leaveIndices(indices, errors) || !isGood)
    return poison(let.value->range);
  Shape shape;
  for (const Local *index : indices)
    shape.push_back(index->extent);
  return make(element->type.withShape(std::move(shape)), let.value->range,
              ForEach{{indices.begin(), indices.end()}, element});
}

const Expr *Body::indexReduction(Builtin op, const ast::Index &callee,
                                 CallSite &site) {
  site.calleeRange = callee.base->range;
  std::string name = site.name();
  size_t errors = enterIndices();
  std::vector<Local *> indices;
  for (const ast::Subscript &subscript : callee.subscripts) {
    if (subscript.index) {
      indices.push_back(
          openIndex(*subscript.index, subscript.value.get(), false));
    } else if (auto *bare = subscript.value->as<ast::NameUse>()) {
      indices.push_back(
          openIndex({bare->text, subscript.value->range}, nullptr, false));
    } else {
      state.diagnostics
          .report(diag::Expected, subscript.value->range, "an index",
                  fmt::format("`{}`", shortened(subscript.value->range.text())))
          .help(fmt::format("`{}[k](...)` runs over all values of `k`", name));
      leaveIndices(indices, errors);
      return poison(site.range);
    }
  }
  const Expr *element = poison(site.range);
  std::vector<CallArgument *> arguments;
  if (takeArguments(site, "x", arguments))
    element = strong(valueOf(*arguments[0]));
  bool isGood = isOneNumber(element);
  bool isBoolean = element->type.element == ElementType::Bool;
  bool isArg = op == Builtin::ArgMax || op == Builtin::ArgMin;
  if (isGood && !element->type.isScalar()) {
    state.diagnostics.report(diag::IndexedArray, element->range,
                             element->type.str());
    isGood = false;
  } else if (isGood && (op == Builtin::Any || op == Builtin::All)) {
    isGood = isBool(name, element);
  } else if (isGood && op == Builtin::Mean && isBoolean) {
    element = make(element->type.withElement(ElementType::Real), element->range,
                   Convert{element});
  } else if (isGood) {
    isGood = isNumeric(name, site.calleeRange, element,
                       /*needsReal=*/op == Builtin::Mean);
  }
  if (isGood && isArg && indices.size() > 1) {
    state.diagnostics.report(diag::GenericCount, site.calleeRange, name,
                             "one index", indices.size());
    isGood = false;
  }
  if (!leaveIndices(indices, errors) || !isGood)
    return poison(site.range);
  Type type = isArg ? Type::tensor(ElementType::Index, {}, indices[0]->extent)
                    : element->type;
  return make(std::move(type), site.range,
              IndexReduce{op, {indices.begin(), indices.end()}, element});
}

} // namespace gradus::typed

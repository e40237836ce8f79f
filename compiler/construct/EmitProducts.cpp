// Sums over indices of products: the factors are contracted in pairs, each by
// an einsum, the cheapest pair first. What does not depend on an index that is
// summed over is multiplied on afterwards.
#include "compiler/construct/Emitter.h"
#include "dialect/Einsum.h"
#include "dialect/Graph.h"

#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace gradus::construct {

using typed::Builtin;

/// The factors of a product, those that depend on a summed index apart.
struct Emitter::Product {
  ArrayRef<const typed::Local *> over;
  SmallVector<Lanes> summed;
  /// And whether to divide by it.
  SmallVector<std::pair<Lanes, bool>> others;
  bool isNegative = false;
};

Indices Emitter::indicesOf(const Expr &expr, const Frame &frame) const {
  Indices found;
  auto isOpen = [&](const typed::Local *index) {
    return llvm::any_of(open,
                        [&](auto &entry) { return entry.first == index; });
  };
  auto add = [&](const typed::Local *index) {
    if (isOpen(index) && !llvm::is_contained(found, index))
      found.push_back(index);
  };
  auto collect = [&](auto &self, const Expr &expr) -> void {
    if (auto *reference = expr.as<typed::LocalReference>()) {
      add(reference->local);
      for (const typed::Local *index : frame.lanes.lookup(reference->local))
        add(index);
    } else if (auto *at = expr.as<typed::At>()) {
      for (const typed::At::Subscript &subscript : at->subscripts)
        for (auto &[index, coefficient] : subscript.position.terms)
          add(index);
    } else if (auto *node = expr.as<typed::Elementwise>()) {
      if (const Expr *one = taken(*node, frame))
        return self(self, *one);
    }
    for (const Expr *operand : typed::operandsOf(expr))
      self(self, *operand);
  };
  collect(collect, expr);
  return found;
}

/// The factors and divisors of a product, as they are written.
static void split(const typed::Expr &expr, bool isInverse,
                  SmallVectorImpl<std::pair<const typed::Expr *, bool>> &into,
                  bool &isNegative) {
  auto *node = expr.as<typed::Elementwise>();
  if (node && node->op == Builtin::Neg) {
    isNegative = !isNegative;
    split(*node->operands[0], isInverse, into, isNegative);
  } else if (node && (node->op == Builtin::Mul || node->op == Builtin::Div)) {
    split(*node->operands[0], isInverse, into, isNegative);
    split(*node->operands[1], isInverse != (node->op == Builtin::Div), into,
          isNegative);
  } else {
    into.emplace_back(&expr, isInverse);
  }
}

bool Emitter::isContraction(const Expr &expr,
                            ArrayRef<const typed::Local *> over,
                            const Frame &frame) const {
  SmallVector<std::pair<const Expr *, bool>> factors;
  bool isNegative = false;
  split(expr, false, factors, isNegative);
  std::optional<llvm::SmallDenseSet<const typed::Local *>> first;
  for (auto [factor, isInverse] : factors) {
    Indices indices = indicesOf(*factor, frame);
    if (llvm::none_of(over, [&](const typed::Local *index) {
          return llvm::is_contained(indices, index);
        }))
      continue;
    llvm::SmallDenseSet<const typed::Local *> set(indices.begin(),
                                                  indices.end());
    if (first && *first != set)
      return true;
    first = std::move(set);
  }
  return false;
}

Lanes Emitter::sumLanes(const Lanes &x, ArrayRef<const typed::Local *> over) {
  SmallVector<int64_t> dims;
  Indices kept;
  for (auto [axis, index] : llvm::enumerate(x.indices)) {
    if (llvm::is_contained(over, index))
      dims.push_back(axis);
    else
      kept.push_back(index);
  }
  return dims.empty() ? x : Lanes{sumOver(x.value, dims), kept};
}

/// Their product, summed over `dropped`, which stand in both.
Lanes Emitter::contract(const Lanes &a, const Lanes &b,
                        ArrayRef<const typed::Local *> dropped,
                        const Expr &expr) {
  Indices indices = unite({a, b});
  bool isPairwise =
      a.indices.size() == indices.size() && b.indices.size() == indices.size();
  if (dropped.empty() || isPairwise)
    return sumLanes(combine(Builtin::Mul, {a, b}, expr), dropped);
  auto letters = [&](ArrayRef<const typed::Local *> list) {
    std::string text;
    for (const typed::Local *index : list) {
      auto position = llvm::find(indices, index) - indices.begin();
      text += char(position < 26 ? 'a' + position : 'A' + (position - 26));
    }
    return text;
  };
  if (indices.size() > 52)
    refuse(expr.range, "a product over so many indices is");
  Indices kept;
  for (const typed::Local *index : indices)
    if (!llvm::is_contained(dropped, index))
      kept.push_back(index);
  graph::EinsumSpec spec = {letters(a.indices), letters(b.indices),
                            letters(kept)};
  return {
      graph::EinsumOp::create(builder, location, a.value, b.value, spec.str()),
      kept};
}

void Emitter::factor(const Expr &expr, Frame &frame, bool isInverse,
                     Product &product) {
  Lanes value = lanes(expr, frame);
  bool isSummed = llvm::any_of(product.over, [&](const typed::Local *index) {
    return value.has(index);
  });
  if (!isSummed) {
    product.others.emplace_back(value, isInverse);
    return;
  }
  if (isInverse)
    value = combine(
        Builtin::Div,
        {{constant(RankedTensorType::get({}, getElementTypeOrSelf(value.value)),
                   1),
          {}},
         value},
        expr);
  product.summed.push_back(value);
}

Lanes Emitter::sumOfProducts(const Expr &expr,
                             ArrayRef<const typed::Local *> over,
                             Frame &frame) {
  auto outer = location;
  location = locate(expr.range);
  llvm::scope_exit restore([&] { location = outer; });
  // A sum of contractions: each by itself.
  auto *node = expr.as<typed::Elementwise>();
  if (node && (node->op == Builtin::Add || node->op == Builtin::Sub) &&
      isContraction(*node->operands[0], over, frame) &&
      isContraction(*node->operands[1], over, frame))
    return combine(node->op,
                   {sumOfProducts(*node->operands[0], over, frame),
                    sumOfProducts(*node->operands[1], over, frame)},
                   expr);

  Product product = {over, {}, {}};
  SmallVector<std::pair<const Expr *, bool>> factors;
  split(expr, false, factors, product.isNegative);
  // Alone, a quotient is better divided than multiplied by an inverse.
  bool isSplit = isContraction(expr, over, frame) ||
                 llvm::none_of(factors, [&](const auto &factor) {
                   Indices indices = indicesOf(*factor.first, frame);
                   return factor.second &&
                          llvm::any_of(over, [&](const typed::Local *index) {
                            return llvm::is_contained(indices, index);
                          });
                 });
  if (isSplit) {
    for (auto [part, isInverse] : factors)
      factor(*part, frame, isInverse, product);
  } else {
    product.isNegative = false;
    factor(expr, frame, false, product);
  }

  SmallVector<Lanes> &summed = product.summed;
  auto count = [&](const typed::Local *index) {
    return llvm::count_if(
        summed, [&](const Lanes &factor) { return factor.has(index); });
  };
  double repeats = 1;
  for (const typed::Local *index : over)
    if (count(index) == 0)
      repeats *= sizeOf(index);
  for (Lanes &factor : summed) {
    Indices alone;
    for (const typed::Local *index : over)
      if (factor.has(index) && count(index) == 1)
        alone.push_back(index);
    factor = sumLanes(factor, alone);
  }
  while (summed.size() > 1) {
    size_t first = 0, second = 1;
    double least = 0;
    for (size_t i = 0; i < summed.size(); ++i)
      for (size_t j = i + 1; j < summed.size(); ++j) {
        double cost = 1;
        for (const typed::Local *index : unite({summed[i], summed[j]}))
          cost *= sizeOf(index);
        if (least == 0 || cost < least) {
          least = cost;
          first = i;
          second = j;
        }
      }
    Indices dropped;
    for (const typed::Local *index : over)
      if (summed[first].has(index) && summed[second].has(index) &&
          count(index) == 2)
        dropped.push_back(index);
    Lanes pair = contract(summed[first], summed[second], dropped, expr);
    // What only one other factor had is not left over: it was summed above.
    Indices alone;
    summed.erase(summed.begin() + second);
    summed[first] = pair;
    for (const typed::Local *index : over)
      if (pair.has(index) && count(index) == 1)
        alone.push_back(index);
    summed[first] = sumLanes(pair, alone);
  }

  Lanes result = summed.empty() ? Lanes() : summed.front();
  auto scalarOf = [&](double value) {
    return Lanes{
        constant(RankedTensorType::get({}, elementOf(expr.type)), value), {}};
  };
  for (auto &[other, isInverse] : product.others) {
    if (!result.value)
      result =
          isInverse ? combine(Builtin::Div, {scalarOf(1), other}, expr) : other;
    else
      result = combine(isInverse ? Builtin::Div : Builtin::Mul, {result, other},
                       expr);
  }
  if (repeats != 1)
    result = combine(Builtin::Mul, {result, scalarOf(repeats)}, expr);
  if (product.isNegative)
    result = combine(Builtin::Neg, {result}, expr);
  return result;
}

} // namespace gradus::construct

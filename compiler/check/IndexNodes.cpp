// See IndexNodes.h.
#include "compiler/check/TypedAst.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradus::typed {

std::string Affine::str() const {
  std::string text;
  auto add = [&](bool isNegative, const std::string &term) {
    if (text.empty())
      text = isNegative ? "-" + term : term;
    else
      text += (isNegative ? " - " : " + ") + term;
  };
  for (const auto &[index, coefficient] : terms) {
    auto number = coefficient.constant();
    bool isNegative = number && *number < 0;
    Dim size = isNegative ? -coefficient : coefficient;
    std::string factor =
        size.terms().size() > 1 ? "(" + size.str() + ")" : size.str();
    add(isNegative, factor == "1" ? index->name : factor + " * " + index->name);
  }
  auto number = constant.constant();
  bool isNegative = number && *number < 0;
  if (text.empty() || !(constant == Dim(0)))
    add(isNegative, (isNegative ? -constant : constant).str());
  return text;
}

namespace {
struct Operands {
  std::vector<const Expr *> &into;

  void one(const Expr *expr) const { into.push_back(expr); }
  void all(const std::vector<const Expr *> &list) const {
    into.insert(into.end(), list.begin(), list.end());
  }
  void statements(const std::vector<Statement> &list) const {
    for (const Statement &statement : list) {
      if (auto *let = statement.as<Let>())
        one(let->value);
      else if (auto *let = statement.as<LetTuple>())
        one(let->value);
      else if (auto *assign = statement.as<Assign>())
        one(assign->value);
      else if (auto *assign = statement.as<AssignState>())
        one(assign->value);
      else if (auto *loop = statement.as<For>())
        statements(loop->body);
      else if (auto *branch = statement.as<If>()) {
        statements(branch->then);
        statements(branch->otherwise);
      }
    }
  }
  void operator()(const Number &) const {}
  void operator()(const DimValue &) const {}
  void operator()(const ConstReference &) const {}
  void operator()(const LocalReference &) const {}
  void operator()(const ParamReference &) const {}
  void operator()(const StateReference &) const {}
  void operator()(const AllParams &) const {}
  void operator()(const FunctionReference &) const {}
  void operator()(const StatisticReference &) const {}
  void operator()(const ScalarReference &) const {}
  void operator()(const Eye &) const {}
  void operator()(const Iota &) const {}
  void operator()(const Draw &node) const { all(node.distribution.arguments); }
  void operator()(const Elementwise &node) const { all(node.operands); }
  void operator()(const Contract &node) const { all({node.left, node.right}); }
  void operator()(const Convolve &node) const {
    all({node.operand, node.weights});
  }
  void operator()(const Solve &node) const { all({node.matrix, node.right}); }
  void operator()(const Pad &node) const { all({node.operand, node.value}); }
  void operator()(const Pick &node) const { all({node.operand, node.index}); }
  void operator()(const OneHot &node) const { one(node.index); }
  void operator()(const Concat &node) const { all(node.operands); }
  void operator()(const Tuple &node) const { all(node.elements); }
  void operator()(const Call &node) const { all(node.arguments); }
  void operator()(const CallLocal &node) const { all(node.arguments); }
  void operator()(const ExternCall &node) const { all(node.arguments); }
  void operator()(const Stack &node) const {
    statements(node.loop.body);
    one(node.yield);
  }
  void operator()(const Derivative &node) const {
    one(node.y);
    if (node.v)
      one(node.v);
  }
  void operator()(const ForEach &node) const { one(node.element); }
  void operator()(const IndexReduce &node) const { one(node.element); }
  void operator()(const At &node) const {
    one(node.operand);
    for (const At::Subscript &subscript : node.subscripts)
      if (subscript.value)
        one(subscript.value);
  }
  void operator()(const Gather &node) const {
    one(node.operand);
    all(node.indices);
  }
  void operator()(const auto &node) const { one(node.operand); }
};
} // namespace

std::vector<const Expr *> operandsOf(const Expr &expr) {
  std::vector<const Expr *> operands;
  std::visit(Operands{operands}, expr.node);
  return operands;
}

static void collectIndices(const Expr &expr, std::vector<const Local *> &bound,
                           std::vector<const Local *> &found) {
  auto use = [&](const Local *index) {
    if (std::ranges::find(bound, index) == bound.end() &&
        std::ranges::find(found, index) == found.end())
      found.push_back(index);
  };
  size_t outer = bound.size();
  if (auto *reference = expr.as<LocalReference>()) {
    if (reference->local->kind == Local::Index)
      use(reference->local);
  } else if (auto *at = expr.as<At>()) {
    for (const At::Subscript &subscript : at->subscripts)
      for (const auto &[index, coefficient] : subscript.position.terms)
        use(index);
  } else if (auto *each = expr.as<ForEach>()) {
    bound.insert(bound.end(), each->indices.begin(), each->indices.end());
  } else if (auto *reduce = expr.as<IndexReduce>()) {
    bound.insert(bound.end(), reduce->indices.begin(), reduce->indices.end());
  }
  for (const Expr *operand : operandsOf(expr))
    collectIndices(*operand, bound, found);
  bound.resize(outer);
}

std::vector<const Local *> freeIndices(const Expr &expr) {
  std::vector<const Local *> bound, found;
  collectIndices(expr, bound, found);
  return found;
}

} // namespace gradus::typed

// `return` inside of `for`, and in branches that may also go on, in terms of
// variables: it says what is returned and that the body is left; what would
// follow in its round, the rounds that follow, and what stands behind the loop
// or the branch run only if it has not been left.
#include "compiler/check/LoopReturns.h"
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

/// Whether the statements may leave the function.
static bool leave(const Statement &statement) {
  auto any = [](const std::vector<Statement> &statements) {
    return std::ranges::any_of(statements, leave);
  };
  if (auto *branch = statement.as<If>())
    return any(branch->then) || any(branch->otherwise);
  if (auto *loop = statement.as<For>())
    return any(loop->body);
  return statement.as<Return>() != nullptr;
}

/// Whether the condition will be known when compiling: then one branch remains.
static bool isKnown(const Expr &condition) {
  auto *scalar = condition.as<ScalarReference>();
  if ((scalar && scalar->scalar == Scalar::Training) ||
      isFixedByConfig(condition))
    return true;
  auto *node = condition.as<Elementwise>();
  return node && std::ranges::all_of(node->operands, [](const Expr *operand) {
           return isKnown(*operand);
         });
}

/// Whether they may leave the function, and may also come to their end.
static bool mayLeave(const std::vector<Statement> &statements) {
  return std::ranges::any_of(statements, leave) && !alwaysReturns(statements);
}

/// Whether what follows the branches would belong to two of their ends.
static bool mayGoOn(const If &branch) {
  return !isKnown(*branch.condition) &&
         (mayLeave(branch.then) || mayLeave(branch.otherwise));
}

/// Whether a statement outside of loops has a `return` that takes variables.
static bool needsVariables(const Statement &statement) {
  auto *branch = statement.as<If>();
  if (!branch)
    return statement.as<For>() && leave(statement);
  return mayGoOn(*branch) ||
         std::ranges::any_of(branch->then, needsVariables) ||
         std::ranges::any_of(branch->otherwise, needsVariables);
}

namespace {

class LoopReturns {
public:
  LoopReturns(CheckerState &state, const Function &function)
      : state(state), type(function.result), place(function.range),
        hasLeft(state.makeLocal(Local::Var, "has_returned", place,
                                Type::tensor(ElementType::Bool))),
        result(state.makeLocal(Local::Var, "returned", place, type)) {}

  /// What stands in no loop.
  std::vector<Statement> outside(const std::vector<Statement> &statements) {
    std::vector<Statement> out;
    for (const Statement &statement : statements) {
      auto *loop = statement.as<For>();
      auto *branch = statement.as<If>();
      bool goesOn = branch && mayGoOn(*branch);
      if (goesOn)
        out.push_back(
            {statement.range, If{branch->condition, inside(branch->then),
                                 inside(branch->otherwise)}});
      else if (branch)
        out.push_back(
            {statement.range, If{branch->condition, outside(branch->then),
                                 outside(branch->otherwise)}});
      else if (loop && leave(statement))
        out.push_back(rounds(statement.range, *loop));
      else
        out.push_back(statement);
      if (goesOn || (loop && leave(statement)))
        out.push_back(
            {statement.range,
             If{read(hasLeft), {{statement.range, Return{read(result)}}}, {}}});
    }
    return out;
  }

  /// The variables, before any loop.
  std::vector<Statement> start() {
    return {{place, Let{hasLeft, number(hasLeft->type, 0)}},
            {place, Let{result, zeros(type)}}};
  }

private:
  std::vector<Statement> inside(const std::vector<Statement> &statements) {
    std::vector<Statement> out;
    for (size_t i = 0; i < statements.size(); ++i) {
      const Statement &statement = statements[i];
      if (!leave(statement)) {
        out.push_back(statement);
        continue;
      }
      if (auto *back = statement.as<Return>()) {
        out.push_back({statement.range, Assign{result, back->value}});
        out.push_back(
            {statement.range, Assign{hasLeft, number(hasLeft->type, 1)}});
        return out;
      }
      if (auto *branch = statement.as<If>())
        out.push_back(
            {statement.range, If{branch->condition, inside(branch->then),
                                 inside(branch->otherwise)}});
      else
        out.push_back(rounds(statement.range, *statement.as<For>()));
      std::vector<Statement> rest(statements.begin() + i + 1, statements.end());
      if (!rest.empty())
        out.push_back(unlessLeft(statement.range, inside(rest)));
      return out;
    }
    return out;
  }

  Statement rounds(Range range, const For &loop) {
    return {range, For{loop.keyword,
                       loop.counter,
                       {unlessLeft(range, inside(loop.body))}}};
  }

  Statement unlessLeft(Range range, std::vector<Statement> statements) {
    const Expr *stays = state.makeExpr(
        hasLeft->type, place, Elementwise{Builtin::Not, {read(hasLeft)}});
    return {range, If{stays, std::move(statements), {}}};
  }

  const Expr *read(Local *local) {
    return state.makeExpr(local->type, place, LocalReference{local});
  }

  const Expr *number(const Type &type, double value) {
    return state.makeExpr(type, place, Number{value});
  }

  const Expr *zeros(const Type &type) {
    if (type.isTuple()) {
      Tuple tuple;
      for (const Type &element : type.elements)
        tuple.elements.push_back(zeros(element));
      return state.makeExpr(type, place, std::move(tuple));
    }
    const Expr *zero = number(type.withShape({}), 0);
    return type.shape.empty()
               ? zero
               : state.makeExpr(type, place, Broadcast{zero, {}});
  }

  CheckerState &state;
  const Type &type;
  Range place;
  Local *hasLeft, *result;
};

} // namespace

void leaveByVariables(CheckerState &state, Function &function) {
  if (std::ranges::none_of(function.statements, needsVariables))
    return;
  LoopReturns returns(state, function);
  std::vector<Statement> statements = returns.start();
  std::ranges::move(returns.outside(function.statements),
                    std::back_inserter(statements));
  function.statements = std::move(statements);
}

} // namespace gradus::typed

// `return` inside of `for`, in terms of variables: it says what is returned and
// that the loop is left; what would follow in its round, the rounds that
// follow, and what stands behind the loop run only if it has not been left.
#include "compiler/check/LoopReturns.h"
#include "compiler/check/CheckerState.h"

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
      if (auto *branch = statement.as<If>()) {
        out.push_back(
            {statement.range, If{branch->condition, outside(branch->then),
                                 outside(branch->otherwise)}});
      } else if (loop && leave(statement)) {
        out.push_back(rounds(statement.range, *loop));
        out.push_back(
            {statement.range,
             If{read(hasLeft), {{statement.range, Return{read(result)}}}, {}}});
      } else {
        out.push_back(statement);
      }
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

void leaveLoopsByVariables(CheckerState &state, Function &function) {
  LoopReturns returns(state, function);
  std::vector<Statement> statements = returns.start();
  std::ranges::move(returns.outside(function.statements),
                    std::back_inserter(statements));
  function.statements = std::move(statements);
}

} // namespace gradus::typed

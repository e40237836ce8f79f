// Statements of function bodies, optimizer steps and `backward`.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

bool alwaysReturns(const std::vector<Statement> &statements) {
  if (statements.empty())
    return false;
  const Statement &last = statements.back();
  if (last.as<Return>())
    return true;
  auto *choice = last.as<If>();
  return choice && alwaysReturns(choice->then) &&
         alwaysReturns(choice->otherwise);
}

void Body::statements(const ast::Block &block, std::vector<Statement> &out) {
  CheckerState::Level level(state);
  bool isReported = false;
  auto *outer = std::exchange(current, &out);
  for (const auto &stmt : block.statements) {
    if (alwaysReturns(out) && !isReported) {
      state.diagnostics.report(diag::Unreachable, stmt->range);
      isReported = true;
    }
    statement(*stmt, out);
  }
  current = outer;
}

void Body::statement(const ast::Stmt &stmt, std::vector<Statement> &out) {
  ast::visit(
      stmt, [&](const ast::Let &let) { letStatement(let, stmt.range, out); },
      [&](const ast::LetTuple &let) { letTuple(let, stmt.range, out); },
      [&](const ast::Var &var) {
        Type type = var.type ? this->type(*var.type) : Type();
        const Expr *value = var.type ? declared(*var.value, type, var.name.text)
                                     : strong(*var.value);
        Local *local =
            declare(Local::Var, var.name, var.type ? type : value->type);
        if (!value->type.isPoison())
          out.push_back({stmt.range, Let{local, value}});
      },
      [&](const ast::Assign &tree) { assign(tree, stmt.range, out); },
      [&](const ast::GradAssign &tree) { gradAssign(tree, stmt.range, out); },
      [&](const ast::For &tree) {
        if (auto result = loop(tree, /*isValue=*/false))
          out.push_back({stmt.range, std::move(*result)});
      },
      [&](const ast::If &tree) { ifStatement(tree, stmt.range, out); },
      [&](const ast::Return &tree) {
        returnValue(*tree.value, stmt.range, out);
      },
      [&](const ast::Yield &tree) {
        if (&tree == yield) {
          yielded = strong(*tree.value);
          return;
        }
        state.diagnostics.report(diag::OutOfPlace, tree.keyword, "yield")
            .here("it ends the block of a `for` that is a value")
            .help("write `let ys = for i in 0..N { yield ... }`");
      },
      [&](const ast::Invalid &) {});
}

void Body::letStatement(const ast::Let &let, Range range,
                        std::vector<Statement> &out) {
  if (let.loop && !let.indices.empty()) {
    state.refuse(let.keyword, "a loop for each index is");
    declare(Local::Let, let.name, Type::poison());
    return;
  }
  if (let.draw) {
    const Expr *drawn = let.indices.empty() ? draw(let) : drawForEach(let);
    Local *local = declare(Local::Let, let.name, drawn->type);
    if (!drawn->type.isPoison())
      out.push_back({range, Let{local, drawn}});
    return;
  }
  Type type = let.type ? this->type(*let.type) : Type();
  const Expr *value = let.loop              ? loopValue(let)
                      : let.indices.empty() ? this->value(*let.value)
                                            : forEach(let);
  value = let.type ? declared(value, value->range, type, let.name.text)
                   : strong(value);
  Local *local = declare(Local::Let, let.name, let.type ? type : value->type);
  if (!value->type.isPoison())
    out.push_back({range, Let{local, value}});
}

void Body::letTuple(const ast::LetTuple &let, Range range,
                    std::vector<Statement> &out) {
  const Expr *value = strong(*let.value);
  const Type &type = value->type;
  size_t size = let.names.size();
  bool fits = type.isTuple() && type.elements.size() == size;
  if (!fits && !type.isPoison())
    state.diagnostics.report(diag::NeedsTuple, let.value->range, size,
                             type.str());
  LetTuple result = {{}, value};
  for (size_t i = 0; i < size; ++i)
    result.locals.push_back(declare(Local::Let, let.names[i],
                                    fits ? type.elements[i] : Type::poison()));
  if (fits)
    out.push_back({range, std::move(result)});
}

void Body::assign(const ast::Assign &tree, Range range,
                  std::vector<Statement> &out) {
  ast::Expr name;
  name.range = tree.target.range;
  name.node = ast::NameUse{tree.target.text};
  Entity target = entity(name);
  if (target.kind == Entity::Unknown)
    return;
  auto reject = [&](std::string_view what) -> Diagnostic & {
    return state.diagnostics.report(diag::NotAssignable, tree.target.range,
                                    tree.target.text, what);
  };
  if (target.kind == Entity::State && purpose == Function)
    return assignState(tree, target, range, out);
  Local *local = target.local;
  if (!local) {
    reject(target.what);
    return;
  }
  switch (local->kind) {
  case Local::Var:
  case Local::Slot:
  case Local::Updated:
    break;
  case Local::Let:
    reject("a `let`")
        .label(local->range, "declared here")
        .help("a `var` may be assigned again");
    return;
  default:
    reject(local->kind == Local::Field ? "a field of the data" : "an argument")
        .help("give the new value a name of its own with `let`");
    return;
  }
  const Expr *value =
      newValue(tree, local->type, local->range, local->kind == Local::Var);
  if (!value)
    return;
  state.assigned.insert(local);
  out.push_back({range, Assign{local, value}});
}

const Expr *Body::newValue(const ast::Assign &tree, const Type &type,
                           Range declaration, bool isVar) {
  const Expr *value = this->value(*tree.value);
  if (value->type.isPoison() || type.isPoison())
    return nullptr;
  if (type.isTensor())
    value = adapt(value, type.element, type.bound);
  if (value->type.isPoison())
    return nullptr;
  value = strong(value);
  bool fits = value->type == type;
  if (!fits && value->type.isTensor() && type.isTensor() &&
      value->type.element == type.element) {
    auto comparison = compareShapes(type.shape, value->type.shape);
    fits =
        comparison.isEqual && (type.element != ElementType::Index ||
                               require(type.bound, Relation::Equal,
                                       value->type.bound, tree.value->range));
    require(comparison.deferred, tree.value->range);
  }
  if (fits)
    return value;
  Diagnostic &error =
      state.diagnostics
          .report(diag::VarKeepsType, tree.value->range, tree.target.text,
                  type.str(), value->type.str())
          .label(declaration, "its type is fixed here");
  if (isVar)
    error.help("a `var` keeps its type; use a new `let` name");
  return nullptr;
}

// Only what trains may change state, and not through a derivative of its own.
void Body::assignState(const ast::Assign &tree, const Entity &target,
                       Range range, std::vector<Statement> &out) {
  if (hasBackward)
    state.diagnostics.report(diag::StateInBackward, tree.target.range,
                             tree.target.text);
  else if (trainingBranches == 0)
    state.diagnostics
        .report(diag::StateOutsideTraining, tree.target.range, tree.target.text)
        .here("assigned outside `if training`")
        .help("put the update inside `if training { ... }`; exported functions "
              "stay pure");
  Type type = substitute(target.state->type, substitutionOf(target.instance));
  if (const Expr *value =
          newValue(tree, type, target.state->range, /*isVar=*/false))
    out.push_back({range, AssignState{{target.instance, target.state}, value}});
}

/// Whether the condition can be `value` only while training.
static bool needsTraining(const Expr &condition, bool value) {
  if (auto *reference = condition.as<ScalarReference>())
    return value && reference->scalar == Scalar::Training;
  auto *node = condition.as<Elementwise>();
  if (!node)
    return false;
  auto operandNeeds = [&](const Expr *operand) {
    return needsTraining(*operand, value);
  };
  switch (node->op) {
  case Builtin::Not:
    return needsTraining(*node->operands[0], !value);
  case Builtin::And:
    return value ? std::ranges::any_of(node->operands, operandNeeds)
                 : std::ranges::all_of(node->operands, operandNeeds);
  case Builtin::Or:
    return value ? std::ranges::all_of(node->operands, operandNeeds)
                 : std::ranges::any_of(node->operands, operandNeeds);
  default:
    return false;
  }
}

void Body::ifStatement(const ast::If &tree, Range range,
                       std::vector<Statement> &out) {
  const Expr *condition = strong(*tree.condition);
  If result = {condition, {}, {}};
  bool isGood = !condition->type.isPoison() && isBool("if", condition);
  if (isGood && !condition->type.isScalar()) {
    state.diagnostics
        .report(diag::NeedsBool, condition->range, "if", quoted(*condition),
                condition->type.str())
        .help("`if` takes one bool; `where(c, a, b)` chooses per element");
    isGood = false;
  }
  auto branch = [&](const ast::Block &block, bool isTrue,
                    std::vector<Statement> &into) {
    bool trains = needsTraining(*condition, isTrue);
    blocks.emplace_back();
    conditions += !loopNames.empty();
    trainingBranches += trains;
    statements(block, into);
    trainingBranches -= trains;
    conditions -= !loopNames.empty();
    blocks.pop_back();
  };
  branch(tree.then, true, result.then);
  if (tree.otherwise)
    branch(*tree.otherwise, false, result.otherwise);
  if (isGood)
    out.push_back({range, std::move(result)});
}

/// Whether it is another type in each round of a loop.
static bool mentionsCounter(const Type &type) {
  auto counts = [](const Dim &dim) {
    return std::ranges::any_of(dim.symbols(), [](const Symbol *symbol) {
      return symbol->kind == Symbol::Counter;
    });
  };
  return counts(type.bound) ||
         std::ranges::any_of(
             type.shape, [&](const Axis &axis) { return counts(axis.dim); }) ||
         std::ranges::any_of(type.elements, mentionsCounter);
}

void Body::returnValue(const ast::Expr &expr, Range range,
                       std::vector<Statement> &out) {
  if (purpose != Function || backwardOf) {
    state.diagnostics.report(diag::OutOfPlace, range, "return");
    return;
  }
  if (yield) {
    state.refuse(range, "`return` inside of a `for` that is a value is")
        .help("assign a `var` in the loop and return it behind it");
    return;
  }
  const Expr *value = this->value(expr);
  // A broken return still ends the body.
  auto finish = [&](const Expr *result) {
    out.push_back({range, Return{result}});
  };
  if (value->type.isPoison()) {
    if (!result)
      result = Type::poison();
    return finish(value);
  }
  if (result && result->isTensor())
    value = adapt(value, result->element, result->bound);
  value = strong(value);
  if (mentionsCounter(value->type)) {
    state.refuse(expr.range, "returning another shape in each round is");
    return finish(poison(expr.range));
  }
  if (!result) {
    result = value->type;
    resultRange = expr.range;
    return finish(value);
  }
  if (result->isPoison() || value->type.isPoison())
    return finish(value);
  auto fits = [&](const Type &wanted, const Type &found) {
    if (!wanted.isTensor() || !found.isTensor() ||
        wanted.element != found.element)
      return false;
    auto comparison = compareShapes(wanted.shape, found.shape);
    if (!comparison.isEqual ||
        (wanted.element == ElementType::Index &&
         !require(wanted.bound, Relation::Equal, found.bound, expr.range)))
      return false;
    require(comparison.deferred, expr.range);
    return true;
  };
  bool isGood = fits(*result, value->type);
  if (result->isTuple() && value->type.isTuple() &&
      result->elements.size() == value->type.elements.size()) {
    isGood = true;
    for (size_t i = 0; i < result->elements.size(); ++i)
      isGood &= fits(result->elements[i], value->type.elements[i]);
  }
  if (!isGood && isResultDeclared)
    state.diagnostics
        .report(diag::ResultType, expr.range, name, value->type.str(),
                result->str())
        .label(resultRange, "declared here");
  else if (!isGood)
    state.diagnostics
        .report(diag::ReturnTypes, expr.range, name, value->type.str(),
                result->str())
        .label(resultRange, result->str());
  finish(value);
}

void Body::resultExpression(const ast::Expr &expr,
                            std::vector<Statement> &out) {
  returnValue(expr, expr.range, out);
}

void Body::gradAssign(const ast::GradAssign &tree, Range range,
                      std::vector<Statement> &out) {
  const std::string &name = tree.target.text;
  if (!backwardOf) {
    state.diagnostics.report(diag::OutOfPlace, tree.keyword, "grad")
        .here("only a `backward` gives gradients");
    return;
  }
  if (blocks.size() > 1) {
    state.refuse(tree.keyword, "`grad` inside of `if` or `for` is");
    return;
  }
  typed::Function &function = *backwardOf;
  auto found = std::find_if(
      function.arguments.begin(), function.arguments.end(),
      [&](const Local *argument) { return argument->name == name; });
  const Expr *value = this->value(*tree.value);
  if (found == function.arguments.end()) {
    state.diagnostics.report(diag::NotAnArgument, tree.target.range, name,
                             function.name);
    return;
  }
  const Type &type = (*found)->type;
  if (type.isPoison() || value->type.isPoison())
    return;
  if (!isReal(type.element)) {
    state.diagnostics.report(diag::NoDerivative, tree.target.range, name,
                             type.str());
    return;
  }
  const Expr *&slot =
      function.backward->gradients[found - function.arguments.begin()];
  if (slot) {
    state.diagnostics.report(diag::ArgumentTwice, tree.target.range, name)
        .label(slot->range, "here already");
    return;
  }
  value = adapt(value, type.element, Dim());
  // `grad x = 0` means zeros of the shape of x.
  if (value->type.isScalar() && !type.shape.empty() &&
      value->type.element == type.element)
    value = spread(value, type.shape, {});
  auto comparison = compareShapes(type.shape, value->type.shape);
  if (!value->type.isTensor() || value->type.element != type.element ||
      !comparison.isEqual) {
    state.diagnostics
        .report(diag::GradientType, tree.value->range, name, type.str(),
                value->type.str())
        .label((*found)->range, type.str());
    return;
  }
  require(comparison.deferred, tree.value->range);
  // The gradients are read after all statements; keep the value of now where a
  // variable could still change.
  Local *kept =
      state.makeLocal(Local::Let, "d" + name, tree.target.range, type);
  out.push_back({range, Let{kept, value}});
  slot = make(type, tree.value->range, LocalReference{kept});
}

void Body::backward(const ast::Backward &tree, typed::Function &function) {
  Backward &result = function.backward.emplace();
  result.range = tree.keyword;
  result.surrogate = tree.surrogate;
  result.gradients.assign(function.arguments.size(), nullptr);
  Type type = function.result;
  if (!type.isPoison() && (!type.isTensor() || !isReal(type.element))) {
    state.diagnostics.report(diag::BackwardResult, tree.keyword, function.name,
                             type.str());
    type = Type::poison();
  }
  backwardOf = &function;
  size_t errors = state.diagnostics.errorCount();
  result.result = declare(Local::Result, tree.result, type);
  result.cotangent = declare(Local::Cotangent, tree.cotangent, type);
  statements(tree.body, result.statements);
  backwardOf = nullptr;
  if (tree.body.broken || errors != state.diagnostics.errorCount())
    return;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const Local &argument = *function.arguments[i];
    if (argument.type.isPoison() || !isReal(argument.type.element) ||
        result.gradients[i])
      continue;
    state.diagnostics
        .report(diag::MissingGradient, tree.keyword, function.name,
                argument.name)
        .here(fmt::format("missing `grad {} = ...`", argument.name))
        .help(fmt::format("if it is meant to be zero, say so: "
                          "`grad {0} = 0 * {0}`",
                          argument.name));
  }
}

} // namespace gradus::typed

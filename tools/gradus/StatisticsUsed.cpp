// See StatisticsUsed.h.
#include "tools/gradus/StatisticsUsed.h"

namespace gradus {

namespace {

/// Walks every expression of a program.
class Walk {
public:
  explicit Walk(std::vector<StatisticUse> &uses) : uses(uses) {}

  void run(const typed::Module &module) {
    for (const typed::Function *function : module.functions)
      run(*function);
  }
  void run(const typed::Function &function) {
    run(function.statements);
    if (function.backward) {
      run(function.backward->statements);
      for (const typed::Expr *gradient : function.backward->gradients)
        run(gradient);
    }
  }
  void run(const typed::Train &train) {
    run(train.lets);
    for (const typed::Minimize &minimize : train.minimize) {
      run(minimize.loss);
      for (const typed::Expr *argument : minimize.arguments)
        run(argument);
    }
    for (const typed::Report &report : train.reports)
      run(report.value);
  }

private:
  void run(const std::vector<typed::Statement> &statements) {
    for (const typed::Statement &statement : statements)
      std::visit([&](const auto &node) { visit(node); }, statement.node);
  }
  void run(const typed::Expr *expr) {
    if (expr)
      std::visit([&](const auto &node) { visit(node, *expr); }, expr->node);
  }

  template <typename Node>
    requires requires(const Node &node) { node.value; }
  void visit(const Node &node) {
    run(node.value);
  }
  void visit(const typed::If &node) {
    run(node.condition);
    run(node.then);
    run(node.otherwise);
  }
  void visit(const typed::For &node) { run(node.body); }
  void visit(const typed::Require &) {}

  void visit(const typed::StatisticReference &node, const typed::Expr &expr) {
    for (const StatisticUse &use : uses)
      if (use.data == node.data && use.field == node.field &&
          use.statistic == node.statistic)
        return;
    uses.push_back({node.data, node.field, node.statistic, expr.range});
  }
  /// Any other expression: its operands, whatever they are called.
  template <typename Node> void visit(const Node &node, const typed::Expr &) {
    if constexpr (requires { run(node.operand); })
      run(node.operand);
    if constexpr (requires { run(node.index); })
      run(node.index);
    if constexpr (requires { run(node.left); }) {
      run(node.left);
      run(node.right);
    }
    if constexpr (requires { node.operands.size(); })
      for (const typed::Expr *operand : node.operands)
        run(operand);
    if constexpr (requires { node.elements.size(); })
      for (const typed::Expr *element : node.elements)
        run(element);
    if constexpr (requires { node.arguments.size(); })
      for (const typed::Expr *argument : node.arguments)
        run(argument);
    if constexpr (requires { run(node.yield); }) {
      run(node.loop.body);
      run(node.yield);
    }
    if constexpr (requires { run(node.y); })
      run(node.y);
  }

  std::vector<StatisticUse> &uses;
};

} // namespace

std::vector<StatisticUse> statisticsUsed(const typed::Program &program) {
  std::vector<StatisticUse> uses;
  Walk walk(uses);
  for (const typed::Module *file : program.files)
    walk.run(*file);
  for (const typed::Module *module : program.modules)
    walk.run(*module);
  if (program.train)
    walk.run(*program.train);
  return uses;
}

} // namespace gradus

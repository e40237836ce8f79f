// A graph function under construction: arguments appear when they are first
// asked for, each with the path of the value it holds; results carry theirs.
#pragma once

#include "dialect/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace gradus::construct {

/// The attribute of an argument or result that holds its path, `param/fc1.W`.
inline constexpr llvm::StringLiteral nameAttr = "graph.name";
/// On a result: the number of the argument in whose place it is written.
inline constexpr llvm::StringLiteral updatesAttr = "graph.updates";
/// On a slot: the number it holds before the first step.
inline constexpr llvm::StringLiteral initialAttr = "graph.initial";
/// On a partial result: how those of several batches combine, `sum` or `max`.
inline constexpr llvm::StringLiteral combineAttr = "graph.combine";

class GraphFunction {
public:
  GraphFunction(mlir::ModuleOp module, llvm::StringRef name);

  /// The argument that holds `name`, made if it is new.
  mlir::Value argument(const std::string &name, mlir::RankedTensorType type);
  /// Says what the argument that holds `name` is before the first step.
  void setInitial(const std::string &name, double number) {
    initials[name] = number;
  }
  /// The argument that holds `name`; null if none does.
  mlir::Value lookup(const std::string &name) const;
  /// The path of an argument of this function.
  const std::string &nameOf(mlir::BlockArgument argument) const {
    return names[argument.getArgNumber()];
  }
  mlir::Block &body() { return function.front(); }
  mlir::func::FuncOp op() { return function; }
  mlir::OpBuilder &builder() { return opBuilder; }

  /// Adds a result. One that updates an argument has the argument's path.
  void result(const std::string &name, mlir::Value value,
              llvm::StringRef combine = "");
  /// Writes the return and the type, drops what no result needs; nothing may be
  /// added after it.
  void finish();

private:
  void eraseUnused();

  struct Result {
    std::string name;
    mlir::Value value;
    std::string combine;
  };
  mlir::func::FuncOp function;
  mlir::OpBuilder opBuilder;
  /// The paths of the arguments, and back.
  std::vector<std::string> names;
  std::unordered_map<std::string, unsigned> numbers;
  std::unordered_map<std::string, double> initials;
  std::vector<Result> results;
};

} // namespace gradus::construct

// The outcome of the stage `fuse`: which kernels to compile, the list of their
// calls, and where every operand lies. Read off the attributes that PlanMemory
// writes; plain data, together with machine code it is a CompiledFunction.
// Next: compiler/lower.
#pragma once

#include "dialect/Graph.h"
#include "runtime/Abi.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <string>
#include <vector>

namespace gradus::fuse {

/// On a kernel: its kind, a string.
inline constexpr llvm::StringLiteral kKernel = "graph.kernel";
/// On a kernel: the bytes of scratch it wants as its last operand; absent:
/// none.
inline constexpr llvm::StringLiteral kScratch = "graph.scratch";
/// On a result: the number of the argument it is written over.
inline constexpr llvm::StringLiteral kUpdates = "graph.updates";
/// On an argument or result of a function: the path of the buffer.
inline constexpr llvm::StringLiteral kName = "graph.name";
/// On a call: where its operands lie.
inline constexpr llvm::StringLiteral kOperands = "graph.operands";
/// On a function: the size of its arena.
inline constexpr llvm::StringLiteral kArenaBytes = "graph.arena_bytes";

/// On a private function: it is the body of a loop.
inline constexpr llvm::StringLiteral kBody = "graph.body";

struct PlannedLoop;

struct PlannedCall {
  /// The symbol of the kernel.
  std::string kernel;
  /// The kernel's arguments in order, then its results that are not written
  /// over an argument, then its scratch if it has one.
  std::vector<gradus::Location> operands;
  /// See `gradus::KernelCall::flops`.
  int64_t flops = 0;
  /// Set if the kernel is a loop.
  std::shared_ptr<const PlannedLoop> loop = {};
};

struct Plan {
  std::string name;
  /// The function's arguments in order, then its results that are not written
  /// over an argument. `gradus::Location::buffer` counts in this list.
  std::vector<BufferInfo> buffers;
  /// In the order in which they run.
  std::vector<PlannedCall> calls;
  int64_t arenaBytes = 0;
};

/// See `gradus::LoopCall`.
struct PlannedLoop {
  Plan body;
  int64_t rounds = 0;
  bool reverse = false;
  size_t carried = 0, over = 0, with = 0;
  bool isConditional = false;
};

/// The plan with its kernels found by `link`, which says what is known of one
/// by its name. Those that are split are run by `team`.
CompiledFunction compiledFunction(const Plan &plan,
                                  llvm::function_ref<void(KernelCall &)> link,
                                  const std::shared_ptr<Team> &team = nullptr);

/// Reads the plan of a planned function; an error names what is missing.
llvm::FailureOr<Plan> readPlan(mlir::func::FuncOp function);

/// The buffers of a function as a plan has them, planned or not.
llvm::FailureOr<std::vector<BufferInfo>> buffersOf(mlir::func::FuncOp function);

/// The functions of a module that are lists of kernel calls (or are to become
/// such a list): those that are public and no kernels themselves.
std::vector<mlir::func::FuncOp> steps(mlir::ModuleOp module);

/// The same, and the bodies of loops.
std::vector<mlir::func::FuncOp> stepsAndBodies(mlir::ModuleOp module);

/// What a call of a loop runs; null for any other kernel.
graph::RoundsOp roundsOf(mlir::func::FuncOp kernel);

/// The function of a loop's body.
mlir::func::FuncOp bodyOf(graph::RoundsOp rounds);

/// The scratch of a loop whose body has such an arena: the counter comes first.
constexpr int64_t loopScratch(int64_t arenaBytes) {
  return LoopCall::kCounterBytes + arenaBytes;
}

/// The kernel that a call names.
mlir::func::FuncOp kernelOf(mlir::func::CallOp call);

/// The argument that result `index` of a function is written over, if any.
std::optional<int64_t> updatedArgument(mlir::func::FuncOp function,
                                       unsigned index);

/// The value whose bytes `value` is: reshapes between kernels are only names.
mlir::Value bytesBehind(mlir::Value value);

/// The uses of the bytes of `value`, also under other names.
llvm::SmallVector<mlir::OpOperand *> usesOfBytes(mlir::Value value);

} // namespace gradus::fuse

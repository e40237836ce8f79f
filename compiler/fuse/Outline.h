// A cluster of ops -> a kernel: a private function of its own, shared by all
// clusters that compute the same.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

#include <string>

namespace gradus::fuse {

/// The kernels of a module, each once.
class KernelTable {
public:
  explicit KernelTable(mlir::ModuleOp module) : module(module) {}

  /// Builds at `builder` a call that computes what `ops` (program order)
  /// compute, and maps those of their results that are used outside to its
  /// results. `values` holds what the operands from outside have become.
  /// `kind` is the value of `graph.kernel`, `name` the symbol if it is free.
  void outline(mlir::OpBuilder &builder, llvm::ArrayRef<mlir::Operation *> ops,
               llvm::StringRef kind, const std::string &name,
               mlir::IRMapping &values);

  /// The function equal to `kernel`, which is erased, or itself, now named and
  /// in the module. `origins` gets the places that `kernel` has for its ops.
  mlir::func::FuncOp
  share(mlir::func::FuncOp kernel, const std::string &name,
        llvm::SmallVectorImpl<mlir::Attribute> *origins = nullptr);

private:
  mlir::ModuleOp module;
  llvm::DenseMap<size_t, llvm::SmallVector<mlir::func::FuncOp>> byHash;
};

/// Where each op of `kernel` comes from in this call of it: equal clusters of
/// several places in the source share a kernel.
llvm::SmallVector<mlir::Location> originsOf(mlir::func::CallOp call,
                                            mlir::func::FuncOp kernel);

} // namespace gradus::fuse

// The stage construct: typed AST + numbers for all dims -> a module of `graph`
// functions, gradients still to be taken. Arguments and results carry the paths
// of what they hold (`graph.name`). Next: compiler/differentiate.
#pragma once

#include "compiler/Diagnostics.h"
#include "compiler/check/TypedAst.h"

#include <map>

namespace mlir {
class MLIRContext;
class ModuleOp;
template <typename OpTy> class OwningOpRef;
} // namespace mlir

namespace gradus {

/// What `real` is in memory.
enum class Precision : uint8_t { F32, F64 };

namespace construct {

/// `@step`: one update of every `minimize`, on a batch of `batch` rows.
/// Takes `param/...`, `state/...`, `slot/...`, `field/...`, `data/...` and the
/// scalars `t epoch steps` as far as they are used; gives the updated
/// parameters, states and slots and `loss`, that of the first `minimize`. Null
/// after an error.
mlir::OwningOpRef<mlir::ModuleOp>
constructStep(const typed::Program &program, mlir::MLIRContext &context,
              Precision precision, int64_t batch, Diagnostics &diagnostics);

/// `@evaluate` and `@finish`: the reports over a whole split, in two steps.
/// `@evaluate` gives for a batch the partial results `partial/NAME/I` in f64,
/// which are to be combined over all batches (`graph.combine`: sum or max);
/// `@finish` takes the combined ones and `rows`, the number of rows of the
/// split, and gives `report/NAME`, f64 each. The loss of the first `minimize`
/// is the report `loss` if it can be split like that.
mlir::OwningOpRef<mlir::ModuleOp>
constructReports(const typed::Program &program, mlir::MLIRContext &context,
                 Precision precision, int64_t batch, Diagnostics &diagnostics);

/// The exported function `function` for arguments of the given dims: takes
/// `argument/NAME`, parameters, states and statistics, gives `result/I`. With
/// `training`, what it gives while training instead; it leaves no state.
mlir::OwningOpRef<mlir::ModuleOp>
constructExport(const typed::Program &program, mlir::MLIRContext &context,
                Precision precision, const typed::Function &function,
                const typed::DimEnvironment &dims, Diagnostics &diagnostics,
                bool training = false);

/// A derivative to hold against differences: the names of two functions with
/// the same arguments, `loss` among the results of both.
///
/// Of order 2 that `loss` is the first derivative along a direction, which both
/// take as `direction/NAME` for each parameter or argument.
struct CheckedDerivative {
  /// Of the loss of this `minimize` by its parameters, or, if it is null,
  const typed::Minimize *minimize = nullptr;
  /// of this function with a `backward` by its real arguments.
  const typed::Function *function = nullptr;
  /// Gives the loss; takes what `stop` holds as `stopped/I`. Empty if no small
  /// dims keep what the function requires.
  std::string value;
  /// Gives `gradient/NAME` and, for a loss, `stopped/I` and the arguments of
  /// functions with a `backward` where they are called first, `operand/F/I`.
  std::string gradient;
  /// F of these operands, for a function.
  std::string operands;
  /// Parameters that reach the loss through a `surrogate backward`.
  std::vector<std::string> surrogates;
  /// K of the arguments of type index(K), by their paths.
  std::map<std::string, int64_t> classes;
  /// 1, or 2 for second derivatives.
  int order = 1;
};

/// The derivatives of every `minimize`, and of every function with a `backward`
/// that one runs through, as it is called there, or that the user's files
/// declare, at small dims; all of them of this order. Null after an error.
mlir::OwningOpRef<mlir::ModuleOp>
constructChecks(const typed::Program &program, mlir::MLIRContext &context,
                Precision precision, int64_t batch, int order,
                std::vector<CheckedDerivative> &checks,
                Diagnostics &diagnostics);

} // namespace construct
} // namespace gradus

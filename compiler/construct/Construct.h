// The stage construct: typed AST + numbers for all dims -> a module of `graph`
// functions, gradients still to be taken. Arguments and results carry the paths
// of what they hold (`graph.name`). Next: compiler/differentiate.
#pragma once

#include "compiler/Diagnostics.h"
#include "compiler/check/TypedAst.h"

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
/// Takes `param/...`, `slot/...`, `field/...`, `data/...` and the scalars `t
/// epoch steps` as far as they are used; gives the updated parameters and slots
/// and `loss`, that of the first `minimize`. Null after an error.
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
/// `argument/NAME`, parameters and statistics, gives `result/I`.
mlir::OwningOpRef<mlir::ModuleOp>
constructExport(const typed::Program &program, mlir::MLIRContext &context,
                Precision precision, const typed::Function &function,
                const typed::DimEnvironment &dims, Diagnostics &diagnostics);

} // namespace construct
} // namespace gradus

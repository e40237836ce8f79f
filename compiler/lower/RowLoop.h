// One loop over blocks of rows around ops on buffers. Next: TileRows.cpp.
#pragma once

#include "compiler/lower/RowAxes.h"

namespace gradus::lower {

/// A loop over blocks of rows that some ops of a kernel's body share. A row is
/// what outer axes count: one example, one head of an attention.
class RowLoop {
public:
  /// `ops` stand in `body` in this order.
  RowLoop(mlir::Block &body, llvm::ArrayRef<mlir::linalg::GenericOp> ops)
      : body(body), ops(ops), axes(ops) {}

  /// Whether the ops share rows and are worth the loop.
  bool choose();

  /// Moves the ops to the end of the body, the loop around them. Buffers are
  /// allocated before all ops, and nothing is freed.
  void emit();

private:
  bool arrange(size_t depth);
  bool placeOutside(mlir::linalg::GenericOp op);
  bool hasContraction() const;
  bool isLoneTotal() const;
  bool isWorthwhile() const;
  int64_t bytesInside() const;
  int64_t partsOfTotals() const;
  llvm::SmallVector<int64_t> blockShape(mlir::Value buffer,
                                        int64_t steps) const;
  void shrinkBuffers(mlir::OpBuilder &builder);
  void openParts(mlir::OpBuilder &builder, int64_t parts, int64_t size);
  void startPart(mlir::OpBuilder &builder, mlir::linalg::GenericOp op,
                 mlir::Value part);
  void addParts(mlir::OpBuilder &builder, mlir::linalg::GenericOp op);
  void openLoops(mlir::OpBuilder &builder,
                 llvm::SmallVector<mlir::OpFoldResult> place, mlir::Value first,
                 int64_t size);
  void cloneOps(mlir::OpBuilder &builder,
                llvm::ArrayRef<mlir::OpFoldResult> place, int64_t steps);
  void shiftIndex(mlir::linalg::GenericOp op, int64_t loop,
                  mlir::OpFoldResult start);
  mlir::Value viewOf(mlir::OpBuilder &builder, mlir::Value buffer,
                     llvm::ArrayRef<mlir::OpFoldResult> place, int64_t steps);

  mlir::Block &body;
  llvm::SmallVector<mlir::linalg::GenericOp> ops;
  RowAxes axes;
  /// The classes looped over, outermost first, their sizes, and how many steps
  /// of the last are taken at once.
  llvm::SmallVector<Axis> rows;
  llvm::SmallVector<int64_t> sizes;
  int64_t block = 1;
  /// Those among the ops inside that add up over the rows.
  llvm::SmallVector<mlir::linalg::GenericOp> totals;
  llvm::SmallVector<mlir::linalg::GenericOp> before, inside, behind;
  /// Buffers of the kernel that only the ops inside touch, as blocks.
  llvm::MapVector<mlir::Value, mlir::Value> shrunken;
  /// What the rows of one part add up to, for each buffer of a total; and in
  /// the loop over the parts the view of one of them.
  llvm::MapVector<mlir::Value, mlir::Value> partial;
  llvm::DenseMap<mlir::Value, mlir::Value> ofPart;
};

} // namespace gradus::lower

// A sample that is being written with ops, one argument after the other.
#pragma once

#include "test/unit/property/Sample.h"

#include "mlir/IR/Builders.h"

namespace gradus::property {

class Draft {
public:
  Draft(unsigned number, mlir::FloatType real);

  /// A new argument.
  mlir::Value real(llvm::ArrayRef<int64_t> shape, Numbers numbers = {});
  mlir::Value real(llvm::ArrayRef<int64_t> shape, mlir::FloatType element,
                   Numbers numbers = {});
  mlir::Value whole(llvm::ArrayRef<int64_t> shape, mlir::IntegerType element);
  /// The one or the other; whole numbers fit into every type.
  mlir::Value any(llvm::ArrayRef<int64_t> shape, mlir::Type element);

  /// A random shape.
  Shape shape(unsigned leastRank = 0, unsigned mostRank = 3) {
    return drawShape(random, leastRank, mostRank);
  }
  int64_t draw(int64_t low, int64_t high) {
    return drawWhole(random, low, high);
  }
  /// Each axis of `rank` with even chances, ascending.
  Shape drawAxes(unsigned rank);
  /// All types of elements, `real` and the other float type first.
  std::vector<mlir::Type> elements();

  /// The sample that computes `y`.
  Sample finish(mlir::Value y, std::string title);

  /// The number of the sample.
  const unsigned number;
  const mlir::FloatType realType;
  Random random;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder builder;
  const mlir::Location location;

private:
  mlir::Value add(mlir::RankedTensorType type, Numbers numbers);

  mlir::func::FuncOp function;
  std::vector<Argument> arguments;
};

} // namespace gradus::property

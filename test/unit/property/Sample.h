// A function to put to the test, `@f` of a module, with how its arguments are
// drawn; and points for them. What makes samples: OpSubjects.cpp of the ops of
// the dialect, BuiltinSubjects.cpp of builtins, PreludeSubjects.cpp of what
// std.nn exports.
#pragma once

#include "dialect/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace gradus::property {

using Random = std::mt19937_64;
using Arrays = llvm::SmallVector<graph::Array>;
using Shape = llvm::SmallVector<int64_t>;

/// Where the numbers of an argument come from.
struct Numbers {
  /// Where the function is smooth but for whole numbers and for ties.
  double low = -2, high = 2;
  /// Where it need not be: kinks, jumps, ties, the ends of its domain.
  std::vector<double> seams = {-1, -0.0, 0, 1, 2};
};

struct Argument {
  mlir::RankedTensorType type;
  /// Of whole numbers and truth values only `low` and `high` count.
  Numbers numbers;
};

struct Sample {
  /// `log of 2x3`
  std::string title;
  /// Holds the public function `f`, which has one result.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<Argument> arguments;
  /// Element i of the result depends on the elements i of the operands alone.
  bool isElementwise = false;
  /// Its derivative is by declaration not its slope.
  bool isStopped = false;

  mlir::func::FuncOp function() const {
    return mlir::cast<mlir::func::FuncOp>(
        mlir::SymbolTable::lookupSymbolIn(*module, "f"));
  }
  /// Whether it calls a function with a backward of its own, which computes
  /// as it is written: there a cotangent 0 does not win against NaN.
  bool hasCustom() const;
};

/// What samples are made of.
struct Subject {
  std::string name;
  /// The sample number `number`, with `real` for the reals. The same number
  /// gives the same function for each of them.
  std::function<Sample(unsigned number, mlir::FloatType real)> sample;
};

/// One for each op of the dialect that has a value.
std::vector<Subject> opSubjects();
/// One for each builtin that is made of several ops.
std::vector<Subject> builtinSubjects();
/// One for each function and module that std.nn exports.
std::vector<Subject> preludeSubjects();

/// The context of all samples, with everything that compiling needs.
mlir::MLIRContext &context();

/// How many samples of a subject are tested: GRADUS_SAMPLES, or 2.
unsigned sampleCount();

/// An array for each argument, of points where derivatives exist: no number is
/// near a whole one or near another.
Arrays drawSmooth(const std::vector<Argument> &arguments, Random &random);
/// An array for each argument, of seams.
Arrays drawSeams(const std::vector<Argument> &arguments, Random &random);

/// A random shape of at most 48 elements.
Shape drawShape(Random &random, unsigned leastRank, unsigned mostRank);
/// A whole number from `low` to `high`.
int64_t drawWhole(Random &random, int64_t low, int64_t high);
/// A real number.
double drawReal(Random &random, double low, double high);

/// "2x3", "scalar".
std::string shapeText(llvm::ArrayRef<int64_t> shape);

} // namespace gradus::property

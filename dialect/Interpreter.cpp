// See Interpreter.h; and walks over indices.
#include "dialect/Interpreter.h"

#include "llvm/ADT/DenseMap.h"

#include <stdexcept>

using namespace mlir;

namespace gradus::graph {

Array::Array(RankedTensorType type) : type(type) {
  if (isReal())
    reals.resize(size());
  else
    wholes.resize(size());
}

void forEachIndex(ArrayRef<int64_t> shape,
                  llvm::function_ref<void(ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(shape, 0))
    return;
  SmallVector<int64_t> index(shape.size());
  for (;;) {
    visit(index);
    size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1])
      index[--axis] = 0;
    if (axis == 0)
      return;
  }
}

int64_t offsetOf(ArrayRef<int64_t> shape, ArrayRef<int64_t> index) {
  int64_t offset = 0;
  for (auto [size, i] : llvm::zip_equal(shape, index))
    offset = offset * size + i;
  return offset;
}

SmallVector<Array> interpret(Block &body, ArrayRef<Array> arguments,
                             Watch watch) {
  DenseMap<Value, Array> values;
  for (auto [argument, value] :
       llvm::zip_equal(body.getArguments(), arguments)) {
    if (argument.getType() != value.type)
      throw std::logic_error("an argument of the wrong type");
    values[argument] = value;
  }
  auto read = [&](Operation &op) {
    return llvm::map_to_vector(op.getOperands(),
                               [&](Value x) { return values.lookup(x); });
  };
  for (Operation &op : body.without_terminator()) {
    auto evaluable = dyn_cast<Evaluable>(op);
    if (!evaluable)
      throw std::logic_error(
          (op.getName().getStringRef() + " has no value of its own").str());
    SmallVector<Array> operands = read(op);
    auto loop = dyn_cast<LoopOp>(op);
    SmallVector<Array> results =
        loop ? interpret(loop, operands, watch) : evaluable.evaluate(operands);
    if (watch)
      watch(&op, operands, results);
    for (auto [result, value] : llvm::zip_equal(op.getResults(), results))
      values[result] = std::move(value);
  }
  return read(*body.getTerminator());
}

SmallVector<Array> interpret(func::FuncOp function, ArrayRef<Array> arguments,
                             Watch watch) {
  return interpret(function.front(), arguments, watch);
}

SmallVector<Array> CustomOp::evaluate(ArrayRef<Array> x) {
  return interpret(SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
                       *this, getForwardAttr()),
                   x);
}

} // namespace gradus::graph

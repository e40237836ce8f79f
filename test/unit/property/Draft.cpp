// See Draft.h.
#include "test/unit/property/Draft.h"

using namespace mlir;

namespace gradus::property {

Draft::Draft(unsigned number, FloatType real)
    : number(number), realType(real), random(number + 1),
      module(ModuleOp::create(UnknownLoc::get(&context()))),
      builder(&context()), location(UnknownLoc::get(&context())) {
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, location, "f",
                                  builder.getFunctionType({}, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());
}

Value Draft::add(RankedTensorType type, Numbers numbers) {
  arguments.push_back({type, std::move(numbers)});
  return function.front().addArgument(type, location);
}

Value Draft::real(ArrayRef<int64_t> shape, Numbers numbers) {
  return real(shape, realType, std::move(numbers));
}

Value Draft::real(ArrayRef<int64_t> shape, FloatType element, Numbers numbers) {
  return add(RankedTensorType::get(shape, element), std::move(numbers));
}

Value Draft::whole(ArrayRef<int64_t> shape, IntegerType element) {
  Numbers numbers{-3, 3, {}};
  if (element.getWidth() == 1)
    numbers = {0, 1, {}};
  else if (element.isUnsigned())
    numbers = {0, 255, {}};
  return add(RankedTensorType::get(shape, element), numbers);
}

Value Draft::any(ArrayRef<int64_t> shape, Type element) {
  if (auto integer = dyn_cast<IntegerType>(element))
    return whole(shape, integer);
  return real(shape, cast<FloatType>(element));
}

Shape Draft::drawAxes(unsigned rank) {
  Shape axes;
  for (unsigned axis = 0; axis < rank; ++axis)
    if (draw(0, 1))
      axes.push_back(axis);
  return axes;
}

std::vector<Type> Draft::elements() {
  FloatType other =
      realType.isF32() ? FloatType(builder.getF64Type()) : builder.getF32Type();
  return {realType,
          other,
          builder.getI32Type(),
          builder.getI64Type(),
          builder.getIntegerType(8, /*isSigned=*/false),
          builder.getI1Type()};
}

Sample Draft::finish(Value y, std::string title) {
  func::ReturnOp::create(builder, location, y);
  function.setFunctionType(builder.getFunctionType(
      function.front().getArgumentTypes(), y.getType()));
  Sample sample;
  sample.title = std::move(title);
  sample.module = std::move(module);
  sample.arguments = std::move(arguments);
  return sample;
}

} // namespace gradus::property

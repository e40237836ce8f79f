#include "runtime/Execution.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>
#include <stdexcept>

using namespace gradus;

namespace {

void twice(void *const *buffers) {
  auto *from = static_cast<const float *>(buffers[0]);
  auto *to = static_cast<float *>(buffers[1]);
  for (int i = 0; i < 4; ++i)
    to[i] = 2 * from[i];
}

/// y = 2 (2 x), the inner value in the arena.
CompiledFunction fourTimes() {
  CompiledFunction function;
  function.name = "four_times";
  function.buffers = {{"x", Element::F32, {4}, Access::Read},
                      {"y", Element::F32, {4}, Access::Write}};
  Location x{Location::External, 0, 0}, y{Location::External, 1, 0};
  Location inner{Location::Arena, 0, 64};
  function.calls = {{"first", twice, {x, inner}},
                    {"second", twice, {inner, y}}};
  function.arenaBytes = 128;
  return function;
}

} // namespace

TEST(Execution, RunsItsKernelsInOrder) {
  Execution execution(fourTimes());
  Tensor x(Element::F32, {4}), y(Element::F32, {4});
  x.fill(3);
  execution.bind(size_t(execution.find("x")), x);
  execution.bind(size_t(execution.find("y")), y);
  execution.run();
  EXPECT_EQ(y.at(3), 12);
  x.fill(1);
  execution.run();
  EXPECT_EQ(y.at(0), 4);
}

TEST(Execution, CanBeBoundToOtherMemory) {
  Execution execution(fourTimes());
  Tensor x(Element::F32, {4}), y(Element::F32, {4}), z(Element::F32, {4});
  x.fill(1);
  execution.bind(0, x);
  execution.bind(1, y);
  execution.run();
  execution.bind(1, z);
  execution.run();
  EXPECT_EQ(z.at(2), 4);
}

TEST(Execution, RefusesWhatTheCompilerMustNotProduce) {
  Execution execution(fourTimes());
  Tensor x(Element::F32, {4}), longer(Element::F32, {5}),
      wide(Element::F64, {4});
  EXPECT_THROW(execution.run(), std::logic_error);
  EXPECT_THROW(execution.bind(0, longer), std::logic_error);
  EXPECT_THROW(execution.bind(0, wide), std::logic_error);
  EXPECT_THROW(execution.bind(0, static_cast<char *>(x.data()) + 4),
               std::logic_error);
  EXPECT_EQ(execution.find("z"), -1);

  CompiledFunction outside = fourTimes();
  outside.calls[0].operands[1].offset = 192;
  EXPECT_THROW(Execution{outside}, std::logic_error);
  CompiledFunction unknown = fourTimes();
  unknown.calls[0].operands[0].buffer = 2;
  EXPECT_THROW(Execution{unknown}, std::logic_error);
}

TEST(Execution, ArenaTooLargeIsAnErrorOfTheMachine) {
  CompiledFunction function = fourTimes();
  function.arenaBytes = int64_t(1) << 60;
  EXPECT_THROW(Execution{function}, Error);
}

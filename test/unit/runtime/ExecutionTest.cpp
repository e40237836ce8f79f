#include "runtime/Execution.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>
#include <stdexcept>

using namespace gradus;

namespace {

void twice(void *const *buffers, const Worker *) {
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

namespace {

/// carried += row + with, and the old value is the row of the stack.
void addRow(void *const *buffers, const Worker *) {
  auto *carried = static_cast<float *>(buffers[0]);
  auto *row = static_cast<const float *>(buffers[1]);
  auto *with = static_cast<const float *>(buffers[2]);
  auto *stack = static_cast<float *>(buffers[3]);
  auto *counter = static_cast<const int32_t *>(buffers[4]);
  auto *arena = static_cast<float *>(buffers[5]);
  arena[0] = float(*counter);
  stack[0] = *carried * 100 + arena[0];
  *carried += *row + *with;
}

CompiledFunction sumOfRows(bool reverse) {
  auto external = [](int32_t buffer) {
    return Location{Location::External, buffer, 0};
  };
  auto loop = std::make_shared<LoopCall>();
  loop->body.name = "body";
  loop->body.buffers = {{"i", Element::I32, {}, Access::Read},
                        {"carried", Element::F32, {}, Access::Update},
                        {"row", Element::F32, {}, Access::Read},
                        {"with", Element::F32, {}, Access::Read},
                        {"stack", Element::F32, {}, Access::Write}};
  loop->body.calls = {{"add_row",
                       addRow,
                       {external(1), external(2), external(3), external(4),
                        external(0), Location{Location::Arena, 0, 0}}}};
  loop->body.arenaBytes = 64;
  loop->rounds = 3;
  loop->reverse = reverse;
  loop->carried = loop->over = loop->with = 1;

  CompiledFunction function;
  function.name = "sum_of_rows";
  function.buffers = {{"start", Element::F32, {}, Access::Read},
                      {"x", Element::F32, {3}, Access::Read},
                      {"with", Element::F32, {}, Access::Read},
                      {"last", Element::F32, {}, Access::Write},
                      {"stack", Element::F32, {3}, Access::Write}};
  KernelCall &call = function.calls.emplace_back();
  call.name = "loop";
  call.operands = {external(0), external(1), external(2),
                   external(3), external(4), Location{Location::Arena, 0, 64}};
  call.loop = loop;
  function.arenaBytes = 192;
  return function;
}

/// The last value and the stack.
std::vector<double> runRows(bool reverse) {
  Execution execution(sumOfRows(reverse));
  Tensor start(Element::F32, {}), x(Element::F32, {3}), with(Element::F32, {}),
      last(Element::F32, {}), stack(Element::F32, {3});
  start.fill(1);
  for (int i = 0; i < 3; ++i)
    static_cast<float *>(x.data())[i] = float(10 * (i + 1));
  with.fill(0.5);
  Tensor *tensors[] = {&start, &x, &with, &last, &stack};
  for (size_t i = 0; i < 5; ++i)
    execution.bind(i, *tensors[i]);
  execution.run();
  execution.run();
  EXPECT_EQ(start.at(0), 1);
  return {last.at(0), stack.at(0), stack.at(1), stack.at(2)};
}

} // namespace

TEST(Execution, RunsTheRoundsOfALoop) {
  EXPECT_EQ(runRows(false), (std::vector<double>{62.5, 100, 1151, 3202}));
}

TEST(Execution, RunsTheRoundsOfALoopBackwards) {
  EXPECT_EQ(runRows(true), (std::vector<double>{62.5, 5200, 3151, 102}));
}

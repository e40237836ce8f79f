#include "runtime/Tensor.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>

using namespace gradus;

TEST(Tensor, IsZeroedAndAligned) {
  for (int64_t size : {0, 1, 63, 1000}) {
    Tensor tensor(Element::F32, {size, 3});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
    EXPECT_EQ(tensor.elements(), 3 * size);
    EXPECT_EQ(tensor.bytes(), 12 * size);
    for (float value : tensor.as<float>())
      EXPECT_EQ(value, 0);
  }
}

TEST(Tensor, ScalarHasNoDims) {
  Tensor tensor = Tensor::scalar(Element::F64, 2.5);
  EXPECT_TRUE(tensor.shape().empty());
  EXPECT_EQ(tensor.elements(), 1);
  EXPECT_EQ(tensor.at(0), 2.5);
}

TEST(Tensor, SetsAndReadsEveryElementType) {
  for (Element element :
       {Element::F32, Element::F64, Element::I32, Element::I64, Element::U8}) {
    Tensor tensor(element, {2});
    tensor.set(1, 200);
    EXPECT_EQ(tensor.at(0), 0);
    EXPECT_EQ(tensor.at(1), 200);
  }
  Tensor flags(Element::Bool, {2});
  flags.set(1, 200);
  EXPECT_EQ(flags.at(1), 1);
}

TEST(Tensor, ConvertsAndCopies) {
  Tensor tensor(Element::F64, {2, 2});
  tensor.fill(1.25);
  Tensor copy = tensor.copy();
  tensor.fill(3);
  EXPECT_EQ(copy.at(3), 1.25);
  EXPECT_EQ(copy.converted(Element::F32).as<float>()[0], 1.25f);
  EXPECT_EQ(copy.converted(Element::I32).as<int32_t>()[0], 1);
}

TEST(Tensor, MovesItsMemory) {
  Tensor from(Element::I32, {4});
  const void *memory = from.data();
  Tensor to = std::move(from);
  EXPECT_EQ(to.data(), memory);
}

TEST(Tensor, WithoutMemoryIsAnErrorOfTheMachine) {
  try {
    Tensor tensor(Element::F64, {int64_t(1) << 40, int64_t(1) << 40});
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.exitCode(), 3);
    EXPECT_EQ(error.headline(),
              "there is not enough memory for a value of f64[1099511627776, "
              "1099511627776]");
  }
}

TEST(Tensor, TypeText) {
  EXPECT_EQ(typeText(Element::U8, {28, 28}), "u8[28, 28]");
  EXPECT_EQ(typeText(Element::F64, {}), "f64");
}

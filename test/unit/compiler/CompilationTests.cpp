// Compilations as bytes: the same comes back, and from fewer bytes nothing
// does.
#include "compiler/Compilation.h"

#include "gtest/gtest.h"

namespace gradus {
namespace {

/// Something in every field.
Compilation sample() {
  fuse::PlannedLoop loop;
  loop.body.name = "step_loop";
  loop.body.calls = {{"body", {{Location::External, 3, 0}}, 5}};
  loop.rounds = 7;
  loop.reverse = true;
  loop.carried = 1;
  loop.over = 2;
  loop.with = 3;
  loop.isConditional = true;
  fuse::Plan plan;
  plan.name = "step";
  plan.buffers = {{"param/w", Element::F64, {2, 3}, Access::Update}};
  plan.calls = {
      {"kernel", {{Location::Arena, 0, 64}}, 12},
      {"rounds", {}, 0, std::make_shared<const fuse::PlannedLoop>(loop)}};
  plan.arenaBytes = 128;
  return {{plan},
          {{"step", {{"a.nn:3", 500, 4, 1024}}}},
          {{"kernel", std::string("\0ELF", 4), 256, true}}};
}

TEST(CompilationTest, ComesBackWhole) {
  std::string bytes = bytesOf(sample());
  auto read = readCompilation(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(bytesOf(*read), bytes);
  ASSERT_EQ(read->plans.size(), 1u);
  const fuse::Plan &plan = read->plans[0];
  EXPECT_EQ(plan.name, "step");
  EXPECT_EQ(plan.arenaBytes, 128);
  ASSERT_EQ(plan.buffers.size(), 1u);
  EXPECT_EQ(plan.buffers[0].name, "param/w");
  EXPECT_EQ(plan.buffers[0].element, Element::F64);
  EXPECT_EQ(plan.buffers[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(plan.buffers[0].access, Access::Update);
  ASSERT_EQ(plan.calls.size(), 2u);
  EXPECT_EQ(plan.calls[0].kernel, "kernel");
  EXPECT_EQ(plan.calls[0].flops, 12);
  EXPECT_EQ(plan.calls[0].operands[0].offset, 64);
  ASSERT_TRUE(plan.calls[1].loop);
  const fuse::PlannedLoop &loop = *plan.calls[1].loop;
  EXPECT_EQ(loop.body.calls[0].operands[0].space, Location::External);
  EXPECT_EQ(loop.body.calls[0].operands[0].buffer, 3);
  EXPECT_EQ(loop.rounds, 7);
  EXPECT_TRUE(loop.reverse && loop.isConditional);
  EXPECT_EQ(loop.carried, 1u);
  EXPECT_EQ(loop.over, 2u);
  EXPECT_EQ(loop.with, 3u);
  EXPECT_EQ(read->kept.at("step")[0].place, "a.nn:3");
  EXPECT_EQ(read->kept.at("step")[0].every, 4);
  EXPECT_EQ(read->kernels[0].object, std::string("\0ELF", 4));
  EXPECT_EQ(read->kernels[0].scratchBytes, 256);
  EXPECT_TRUE(read->kernels[0].isSplit);
}

TEST(CompilationTest, OtherBytesAreRefused) {
  std::string bytes = bytesOf(sample());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(readCompilation(std::string_view(bytes).substr(0, size)));
  EXPECT_FALSE(readCompilation(bytes + "x"));
  // Lengths that no bytes are behind.
  EXPECT_FALSE(readCompilation(std::string(200, '\xff')));
}

TEST(CompilationTest, WhatDoesNotLinkSaysSo) {
  auto functions = link(sample(), nullptr, {});
  EXPECT_FALSE(functions);
  llvm::consumeError(functions.takeError());
}

} // namespace
} // namespace gradus

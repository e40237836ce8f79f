// Laws of the stage fuse: kernels compute what the program computes, whatever
// is fused, moved, shared or updated in place.
#include "test/unit/fuse/DeepNetwork.h"
#include "test/unit/fuse/RandomProgram.h"
#include "test/unit/fuse/StepRunner.h"

#include "gtest/gtest.h"

#include <chrono>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

namespace gradus {
namespace {

void expectEqual(const std::string &text, int times, double bound) {
  auto fused = StepRunner(text, true, 1).run(times);
  auto whole = StepRunner(text, false, 1).run(times);
  ASSERT_EQ(fused.size(), whole.size());
  for (size_t i = 0; i < fused.size(); ++i)
    for (size_t j = 0; j < fused[i].size(); ++j)
      ASSERT_LE(std::abs(fused[i][j] - whole[i][j]),
                bound * std::max(1.0, std::abs(whole[i][j])))
          << "value " << j << " of written buffer " << i << " of\n"
          << text;
}

/// Every plan passes graph-verify-plan, which StepRunner runs.
TEST(Step, RandomProgramsHaveSoundPlans) {
  for (unsigned seed = 0; seed < 300 && !::testing::Test::HasFailure(); ++seed)
    planStep(randomProgram(seed), true);
}

TEST(Step, RandomProgramsComputeTheSameFusedAndUnfused) {
  for (unsigned seed = 0; seed < 25 && !::testing::Test::HasFailure(); ++seed)
    expectEqual(randomProgram(1000 + seed), 2, 1e-5);
}

TEST(Step, RandomProgramsGiveTheSameBitsOnAnyWorkers) {
  for (unsigned seed = 0; seed < 15 && !::testing::Test::HasFailure(); ++seed)
    expectSameBitsOnAnyWorkers(randomProgram(2000 + seed));
}

TEST(Step, MlpComputesTheSameFusedAndUnfused) {
  std::ifstream file(GRADUS_SOURCE "/test/fuse/mlp-step.mlir");
  std::stringstream text;
  text << file.rdbuf();
  expectEqual(text.str(), 2, 1e-3);
}

size_t kernelCount(const CompiledFunction &step) {
  std::set<std::string> kernels;
  for (const KernelCall &call : step.calls)
    kernels.insert(call.name);
  return kernels.size();
}

/// Equal layers are equal kernels: only the first and the last layer differ.
TEST(Step, HundredLayersTakeTheKernelsOfFour) {
  auto four = planStep(deepNetwork(4), true);
  auto start = std::chrono::steady_clock::now();
  auto hundred = planStep(deepNetwork(100), true);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(four && hundred);
  EXPECT_GT(hundred->calls.size(), 390u);
  EXPECT_EQ(kernelCount(*hundred), kernelCount(*four));
  EXPECT_LE(kernelCount(*four), 10u);
  // 0.1 s alone on a processor; the bound catches what grows with the square.
  EXPECT_LT(time.count(), 5);
}

TEST(Step, DeepNetworkComputesTheSameFusedAndUnfused) {
  expectEqual(deepNetwork(6), 2, 1e-4);
}

} // namespace
} // namespace gradus

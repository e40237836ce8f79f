// Laws of the stage fuse: kernels compute what the program computes, whatever
// is fused, moved, shared or updated in place.
#include "test/unit/fuse/RandomProgram.h"
#include "test/unit/fuse/StepRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fstream>
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

TEST(Step, MlpComputesTheSameFusedAndUnfused) {
  std::ifstream file(GRADUS_SOURCE "/test/fuse/mlp-step.mlir");
  std::stringstream text;
  text << file.rdbuf();
  expectEqual(text.str(), 2, 1e-3);
}

} // namespace
} // namespace gradus

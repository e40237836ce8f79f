#include "runtime/run/Interrupt.h"

#include <csignal>
#include <gtest/gtest.h>

using namespace gradus;

TEST(Interrupt, FirstSignalIsARequest) {
  Interrupt interrupt;
  EXPECT_FALSE(Interrupt::requested());
  ::testing::internal::CaptureStderr();
  std::raise(SIGTERM);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "\nstopping after this step; press Ctrl-C again to stop now\n");
  EXPECT_TRUE(Interrupt::requested());
}

TEST(InterruptDeathTest, SecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        Interrupt interrupt;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      ::testing::ExitedWithCode(130), "stopping after this step");
}

TEST(Interrupt, NextRunStartsAfresh) {
  Interrupt interrupt;
  EXPECT_FALSE(Interrupt::requested());
}

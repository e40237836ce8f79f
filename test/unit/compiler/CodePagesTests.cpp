// Pages of code that are given back are no longer held, and come back when they
// are used.
#include "compiler/native/CodePages.h"
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <fstream>
#include <string>

namespace gradus {
namespace {

/// KiB of mapped files that this process holds.
int64_t heldOfFiles() {
  std::ifstream status("/proc/self/status");
  int64_t kibibytes = 0;
  for (std::string word; status >> word;)
    if (word == "RssFile:")
      status >> kibibytes;
  return kibibytes;
}

TEST(CodePages, ComeBackWhenTheyAreUsed) {
  ModelRunner runner("export fn f(x: real) -> real = exp(x) - 1");
  int64_t before = heldOfFiles();
  native::giveBackPages();
  EXPECT_LT(heldOfFiles(), before);
  auto f = runner.exported("f");
  f.set("argument/x", {0});
  f.run();
  EXPECT_EQ(f.get("result/0"), Numbers{0});
}

} // namespace
} // namespace gradus

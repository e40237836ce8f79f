// Every text that the fuzzer has found worth keeping: no crash, no hang.
#include "test/fuzz/CheckOneInput.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

TEST(Corpus, EachTextIsCheckedOrRefused) {
  size_t count = 0;
  std::filesystem::path folder(GRADUS_SOURCE "/test/fuzz/Inputs/corpus");
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path());
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    gradus::checkOneInput(text.str());
    ++count;
  }
  EXPECT_GT(count, 100u);
}

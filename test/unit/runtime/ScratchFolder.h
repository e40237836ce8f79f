// A folder of its own for a test, deleted afterwards, and what tests of files
// and messages share.
#pragma once

#include "runtime/Error.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace gradus {

class ScratchFolder : public ::testing::Test {
protected:
  ScratchFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "gradus-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~ScratchFolder() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  std::string path(const std::string &name) const {
    return folder + "/" + name;
  }
  std::string write(const std::string &name, const std::string &bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string contents(const std::string &name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// A message with this folder's path cut out.
  std::string withoutFolder(std::string text) const {
    for (size_t at; (at = text.find(folder + "/")) != std::string::npos;)
      text.erase(at, folder.size() + 1);
    return text;
  }
  /// What `action` complains about; empty if it does not throw an Error.
  template <typename Action> std::string messageOf(Action action) const {
    try {
      action();
    } catch (const Error &error) {
      return withoutFolder(error.what());
    }
    return "";
  }

  std::string folder;
};

} // namespace gradus

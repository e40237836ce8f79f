#include "runtime/run/OutputFile.h"

#include "test/unit/runtime/ScratchFolder.h"

#include <cerrno>

using namespace gradus;

namespace {
class OutputFiles : public ScratchFolder {
protected:
  size_t files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto &entry :
         std::filesystem::directory_iterator(folder))
      ++count;
    return count;
  }
};
} // namespace

TEST_F(OutputFiles, AppearWhenTheyAreComplete) {
  write("a", "old");
  {
    OutputFile file(path("a"));
    file.write("new text");
    EXPECT_EQ(contents("a"), "old");
    file.commit();
  }
  EXPECT_EQ(contents("a"), "new text");
  EXPECT_EQ(files(), 1u);
}

TEST_F(OutputFiles, LeaveNothingIfNotCommitted) {
  {
    OutputFile(path("a")).write("text");
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(OutputFiles, LogAddsLines) {
  {
    LogFile(path("log")).add("one");
  }
  LogFile log(path("log"));
  log.add("two");
  EXPECT_EQ(contents("log"), "one\ntwo\n");
}

TEST_F(OutputFiles, FolderMustExist) {
  EXPECT_EQ(
      messageOf([&] { writeFile(path("no/a"), "x"); }),
      "error[E1002]: `no/a` cannot be written: No such file or directory\n"
      "  = help: its folder must exist\n");
  EXPECT_EQ(messageOf([&] { LogFile(path("no/a")); }).substr(0, 12),
            "error[E1002]");
}

TEST_F(OutputFiles, FolderIsNoFile) {
  EXPECT_EQ(messageOf([&] { writeFile(folder, "x"); }).substr(0, 12),
            "error[E1002]");
}

TEST_F(OutputFiles, FullDiskIsAnErrorOfTheMachine) {
  // The device that is always full; it is written in place.
  EXPECT_EQ(messageOf([&] { writeFile("/dev/full", "x"); }),
            "error[E1051]: no space is left to write `/dev/full`\n"
            "  = help: make room on this disk, or write to another folder with "
            "`-o`\n");
  EXPECT_EQ(messageOf([&] { LogFile("/dev/full").add("x"); }).substr(0, 12),
            "error[E1051]");
  EXPECT_EQ(writeError("a", ENOSPC).exitCode(), 3);
  EXPECT_EQ(writeError("a", EDQUOT).exitCode(), 3);
}

TEST_F(OutputFiles, UnwritablePathIsTheUsersError) {
  Error error = writeError("a", EACCES);
  EXPECT_EQ(error.exitCode(), 1);
  EXPECT_STREQ(error.what(),
               "error[E1002]: `a` cannot be written: Permission denied\n"
               "  = help: choose a folder you may write to with `-o`\n");
}

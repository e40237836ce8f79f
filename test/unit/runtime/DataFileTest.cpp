#include "runtime/data/DataFile.h"

#include "test/unit/runtime/Gzip.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <sys/stat.h>

using namespace gradus;

namespace {

class DataFile : public ScratchFolder {
protected:
  std::string read(const std::string &name) const {
    std::vector<uint8_t> bytes = readDataFile(path(name));
    return {bytes.begin(), bytes.end()};
  }
  std::string messageFor(const std::string &name) const {
    return messageOf([&] { read(name); });
  }
};

} // namespace

TEST(DataFolder, GivenFolderReplacesTheModelsFolder) {
  EXPECT_EQ((DataFolder{"", "models"}.resolve("a/b.csv")), "models/a/b.csv");
  EXPECT_EQ((DataFolder{"/d", "models"}.resolve("a/b.csv")), "/d/a/b.csv");
  EXPECT_EQ((DataFolder{"/d", "models"}.resolve("/e/b.csv")), "/d/b.csv");
  EXPECT_EQ((DataFolder{"", "models"}.resolve("/e/b.csv")), "/e/b.csv");
  EXPECT_EQ((DataFolder{"", ""}.resolve("b.csv")), "b.csv");
}

TEST_F(DataFile, ReadsPlainAndEmptyFiles) {
  write("plain", "hello");
  write("empty", "");
  EXPECT_EQ(read("plain"), "hello");
  EXPECT_EQ(read("empty"), "");
}

TEST_F(DataFile, DecompressesByMagicWhateverTheName) {
  write("a.gz", gzip("hello"));
  write("b.csv", gzip("hello"));
  EXPECT_EQ(read("a.gz"), "hello");
  EXPECT_EQ(read("b.csv"), "hello");
}

TEST_F(DataFile, ReadsSeveralMembersAndPadding) {
  write("a.gz", gzip("hello ") + gzip("world") + std::string(100, '\0'));
  EXPECT_EQ(read("a.gz"), "hello world");
}

TEST_F(DataFile, ReadsMoreThanTheTrailerSays) {
  std::string text(100000, 'x');
  write("a.gz", gzip(text) + gzip("y"));
  EXPECT_EQ(read("a.gz"), text + "y");
}

TEST_F(DataFile, MissingFileNamesPathAndFlag) {
  EXPECT_EQ(messageFor("a.csv"),
            "error[E0802]: `a.csv` does not exist\n"
            "  = help: `--data DIR` changes the folder in which data files "
            "are found\n");
}

TEST_F(DataFile, MissingFileWithACompressedTwinSaysSo) {
  write("a.csv.gz", gzip("1"));
  EXPECT_NE(messageFor("a.csv").find("= help: `a.csv.gz` exists"),
            std::string::npos);
  write("b.csv", "1");
  EXPECT_NE(messageFor("b.csv.gz").find("= help: `b.csv` exists"),
            std::string::npos);
}

TEST_F(DataFile, MissingFashionMnistNamesDebiansPackage) {
  std::string message = messageFor("train-images-idx3-ubyte.gz");
  EXPECT_NE(message.find("/usr/share/datasets/fashion-mnist`"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("Fashion-MNIST"), std::string::npos);
}

TEST_F(DataFile, FolderIsNoFile) {
  EXPECT_EQ(messageOf([&] { readDataFile(folder + "/."); }),
            "error[E0804]: `.` is a folder, expected a data file\n");
}

TEST_F(DataFile, PipesAndDevicesAreNotRead) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(messageFor("pipe"),
            "error[E0803]: `pipe` cannot be read: it is not a regular file\n"
            "  = help: write what it gives to a file first\n");
  EXPECT_NE(messageOf([] { readDataFile("/dev/zero"); }).find("E0803"),
            std::string::npos);
}

TEST_F(DataFile, LoopOfLinksIsUnreadable) {
  std::filesystem::create_symlink("loop", path("loop"));
  EXPECT_EQ(messageFor("loop"), "error[E0803]: `loop` cannot be read: Too many "
                                "levels of symbolic links\n");
}

TEST_F(DataFile, PlainTextNamedGzIsNotGzip) {
  write("a.gz", "hello");
  EXPECT_EQ(messageFor("a.gz"),
            "error[E0807]: `a.gz` is not a gzip file\n"
            " --> a.gz, byte 0\n"
            "  = note: a gzip file starts with the bytes 31 and 139\n");
  write("b.gz", "<!DOCTYPE html>");
  EXPECT_NE(messageFor("b.gz").find("a web page may have been saved"),
            std::string::npos);
  write("c.gz", "");
  EXPECT_NE(messageFor("c.gz").find("the file is empty"), std::string::npos);
}

TEST_F(DataFile, TruncatedGzipNamesTheByteWhereItEnds) {
  std::string packed = gzip("hello hello hello");
  for (size_t size : {size_t(3), packed.size() - 9, packed.size() - 1}) {
    write("a.gz", packed.substr(0, size));
    EXPECT_EQ(messageFor("a.gz"),
              "error[E0806]: `a.gz` ends before its compressed data do\n"
              " --> a.gz, byte " +
                  std::to_string(size) +
                  "\n  = help: a download or copy may have been cut short\n");
  }
}

TEST_F(DataFile, DamagedGzipIsNoticed) {
  std::string packed = gzip("hello hello hello");
  packed[packed.size() - 6] ^= 1;
  write("a.gz", packed);
  std::string message = messageFor("a.gz");
  EXPECT_EQ(
      message.find("error[E0805]: `a.gz` is a broken gzip file: incorrect "
                   "data check\n --> a.gz, byte "),
      0u)
      << message;
  write("b.gz", gzip("hello") + "stray");
  EXPECT_EQ(
      messageFor("b.gz"),
      "error[E0805]: `b.gz` is a broken gzip file: other bytes follow the "
      "compressed data\n --> b.gz, byte " +
          std::to_string(gzip("hello").size()) + "\n");
}

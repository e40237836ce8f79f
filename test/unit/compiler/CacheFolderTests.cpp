// The folder of compiled code: what is found again, what is not, and that
// nothing that is wrong with it harms.
#include "compiler/CacheFolder.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <thread>

namespace gradus {

namespace fs = std::filesystem;

namespace {

class CacheFolderTest : public ScratchFolder {
protected:
  CacheKey keyOf(const std::string &graph) const {
    return {"a build", "a processor", "settings", graph};
  }
  /// The file of the only entry.
  fs::path onlyFile() const {
    std::vector<fs::path> files(fs::directory_iterator(path("cache")), {});
    EXPECT_EQ(files.size(), 1u);
    return files.front();
  }
  void replace(const fs::path &file, const std::string &old,
               const std::string &with) const {
    std::string bytes = contents("cache/" + file.filename().string());
    size_t at = bytes.find(old);
    ASSERT_NE(at, std::string::npos);
    std::ofstream(file, std::ios::binary)
        << bytes.replace(at, old.size(), with);
  }

  CacheFolder cache{path("cache")};
  std::string code{"\0code\n\xff", 7};
};

TEST_F(CacheFolderTest, GivesBackWhatWasWritten) {
  EXPECT_FALSE(cache.read(keyOf("g")));
  cache.write(keyOf("g"), "model.nn, step", code);
  cache.write(keyOf("none"), "model.nn, warnings", "");
  EXPECT_EQ(cache.read(keyOf("g")), code);
  EXPECT_EQ(cache.read(keyOf("none")), "");
  EXPECT_EQ(cache.entries().size(), 2u);
  EXPECT_EQ(cache.clear(), 2);
  EXPECT_FALSE(cache.read(keyOf("g")));
}

TEST_F(CacheFolderTest, EveryPartOfTheKeyMatters) {
  cache.write(keyOf("g"), "model.nn, step", code);
  auto why = [&](CacheKey key) {
    EXPECT_FALSE(cache.read(key));
    return cache.whyMissing(key, "model.nn, step");
  };
  CacheKey key = keyOf("g");
  key.build = "another";
  EXPECT_EQ(why(key), "it is there, but of another build of gradus");
  key = keyOf("g");
  key.processor = "another";
  EXPECT_EQ(why(key), "it is there, but for another processor");
  key = keyOf("g");
  key.settings = "others";
  EXPECT_EQ(why(key), "it is there, but for other settings: settings");
  EXPECT_EQ(why(keyOf("h")), "what is there under this name is another graph");
  EXPECT_EQ(cache.whyMissing(keyOf("h"), "other.nn, step"),
            "it has not been compiled before");
}

TEST_F(CacheFolderTest, WithoutABuildIdNothingIsKept) {
  CacheKey key = keyOf("g");
  key.build.clear();
  cache.write(key, "model.nn, step", code);
  EXPECT_FALSE(cache.read(key));
  EXPECT_TRUE(cache.entries().empty());
  EXPECT_EQ(cache.whyMissing(key, ""), "this program has no build id");
}

TEST_F(CacheFolderTest, ThisProgramHasABuildId) {
  EXPECT_EQ(buildIdentity().size(), 40u);
}

TEST_F(CacheFolderTest, DamagedEntriesAreMissing) {
  auto damage = [&](const std::string &old, const std::string &with) {
    cache.write(keyOf("g"), "model.nn, step", code);
    ASSERT_TRUE(cache.read(keyOf("g")));
    replace(onlyFile(), old, with);
    EXPECT_FALSE(cache.read(keyOf("g"))) << old;
  };
  damage("code\n\xff", "node\n\xff");
  EXPECT_EQ(cache.whyMissing(keyOf("g"), ""), "the entry is damaged");
  damage("code\n\xff", "code\n");
  damage("\xff", "\xff ");
  damage("checksum ", "checksum 1");
  damage("size 7", "size 8");
  damage("size 7", "size seven");
  damage("gradus code", "another text");
  damage("graph g", "graph h");
  // Cut anywhere.
  cache.write(keyOf("g"), "model.nn, step", code);
  fs::path file = onlyFile();
  for (auto size = fs::file_size(file); size-- > 0;) {
    fs::resize_file(file, size);
    EXPECT_FALSE(cache.read(keyOf("g"))) << size;
  }
  // The next one who compiles it mends it.
  cache.write(keyOf("g"), "model.nn, step", code);
  EXPECT_EQ(cache.read(keyOf("g")), code);
}

TEST_F(CacheFolderTest, WhatWasNotUsedForLongestGoesFirst) {
  std::string large(1000, 'x');
  CacheFolder small(path("cache"), 3000);
  auto use = [&](const std::string &graph, int hoursAgo) {
    small.write(keyOf(graph), graph, large);
    for (const auto &file : fs::directory_iterator(path("cache")))
      if (contents("cache/" + file.path().filename().string())
              .find("title " + graph + "\n") != std::string::npos)
        fs::last_write_time(file.path(), fs::file_time_type::clock::now() -
                                             std::chrono::hours(hoursAgo));
  };
  use("a", 3);
  use("b", 2);
  EXPECT_TRUE(small.read(keyOf("a"))); // in use as of now
  use("c", 1);
  EXPECT_FALSE(small.read(keyOf("b")));
  EXPECT_TRUE(small.read(keyOf("a")));
  EXPECT_TRUE(small.read(keyOf("c")));
  // One that is too large alone drives nothing out.
  small.write(keyOf("d"), "d", std::string(4000, 'x'));
  EXPECT_EQ(small.entries().size(), 2u);
}

TEST_F(CacheFolderTest, FoldersThatCannotBeWrittenToDoNoHarm) {
  write("file", "");
  for (const std::string &bad : {path("file"), std::string("/proc/gradus")}) {
    CacheFolder none(bad);
    none.write(keyOf("g"), "model.nn, step", code);
    EXPECT_FALSE(none.read(keyOf("g")));
    EXPECT_TRUE(none.entries().empty());
    EXPECT_EQ(none.clear(), 0);
  }
}

TEST_F(CacheFolderTest, ManyMayWriteAndReadAtOnce) {
  std::string large(100'000, 'x');
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        cache.write(keyOf("g"), "model.nn, step", large);
        EXPECT_EQ(cache.read(keyOf("g")), large);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(fs::file_size(onlyFile()) > large.size(), true);
}

TEST_F(CacheFolderTest, WhatNobodyCompletesIsDeleted) {
  cache.write(keyOf("g"), "model.nn, step", code);
  std::string file = write("cache/1.code.part-abc", "half");
  EXPECT_EQ(cache.entries().size(), 1u);
  EXPECT_TRUE(fs::exists(file));
  fs::last_write_time(file,
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_EQ(cache.entries().size(), 1u);
  EXPECT_FALSE(fs::exists(file));
}

} // namespace
} // namespace gradus

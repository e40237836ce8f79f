#include "runtime/run/RunFolder.h"

#include "test/unit/runtime/ScratchFolder.h"

#include <nlohmann/json.hpp>

using namespace gradus;
namespace fs = std::filesystem;

namespace {
class RunFolders : public ScratchFolder {
protected:
  RunFolder make(const std::string &name, bool overwrite = false) const {
    return RunFolder({path(name), "m", ".", overwrite});
  }
};
} // namespace

TEST_F(RunFolders, AreNumberedByDefault) {
  RunFolder first({"", "mlp", folder});
  RunFolder second({"", "mlp", folder});
  EXPECT_EQ(first.path(), path("runs/mlp-1"));
  EXPECT_EQ(second.path(), path("runs/mlp-2"));
}

TEST_F(RunFolders, CanBeGiven) {
  EXPECT_EQ(make("a/b/").path(), path("a/b"));
  EXPECT_TRUE(fs::exists(path("a/b/metrics.jsonl")));
  fs::create_directory(path("empty"));
  EXPECT_EQ(make("empty").path(), path("empty"));
}

TEST_F(RunFolders, ExistingRunIsReplacedOnlyWhenAsked) {
  make("run").writeModel({{"model.nn", "old"}});
  write("run/checkpoint-00000001.safetensors", "x");
  EXPECT_EQ(messageOf([&] { make("run"); }),
            "error[E1001]: `run` exists already\n"
            "  = help: `--overwrite` replaces the run in it; another folder is "
            "given with `-o`\n");
  EXPECT_TRUE(fs::exists(path("run/model.nn")));
  make("run", true);
  EXPECT_FALSE(fs::exists(path("run/model.nn")));
  EXPECT_FALSE(fs::exists(path("run/checkpoint-00000001.safetensors")));
}

TEST_F(RunFolders, OtherFilesAreNeverDeleted) {
  fs::create_directory(path("home"));
  write("home/thesis.tex", "x");
  EXPECT_EQ(messageOf([&] { make("home", true); }),
            "error[E1001]: `home` exists already\n"
            "  = note: it holds `thesis.tex`, which no run has made\n"
            "  = help: `--overwrite` replaces run folders only\n");
  EXPECT_TRUE(fs::exists(path("home/thesis.tex")));
  write("file", "x");
  EXPECT_EQ(messageOf([&] { make("file"); }),
            "error[E1001]: `file` exists already\n"
            "  = note: it is not a folder\n");
}

TEST_F(RunFolders, CannotBeMadeBelowAFile) {
  write("file", "x");
  EXPECT_EQ(messageOf([&] { make("file/run"); }).substr(0, 12), "error[E1002]");
}

TEST_F(RunFolders, KeepModelAndImports) {
  make("run").writeModel({{"model.nn", "model"}, {"lib/data.nn", "data"}});
  EXPECT_EQ(contents("run/model.nn"), "model");
  EXPECT_EQ(contents("run/lib/data.nn"), "data");
}

TEST_F(RunFolders, RecordTheirConfiguration) {
  RunConfig config;
  config.command = "gradus train m.nn lr=0.1";
  config.overrides = {{"lr", "0.1"}};
  config.imports = {{"model.nn", {{"../base.nn", "base.nn"}}}};
  config.parts = {{"", 0, 3, 0, 7}};
  make("run").writeConfig(config);
  auto json = nlohmann::json::parse(contents("run/config.json"));
  EXPECT_EQ(json["command"], config.command);
  EXPECT_EQ(json["overrides"]["lr"], "0.1");
  EXPECT_EQ(json["imports"]["model.nn"]["../base.nn"], "base.nn");
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["batch"], "all");
  EXPECT_EQ(json["epochs"], 3);
  EXPECT_FALSE(json.contains("steps"));
  EXPECT_GE(json["machine"]["cores"], 1);
}

TEST_F(RunFolders, LogMetricsAndKeepTheLatestCheckpoints) {
  RunFolder run = make("run");
  run.add({1, 2, "train", 0, 0, 0.5, {}});
  EXPECT_EQ(nlohmann::json::parse(contents("run/metrics.jsonl"))["loss"], 0.5);
  for (int64_t step : {5, 99999999, 100000000})
    write("run/" + fs::path(run.checkpointPath("", step)).filename().string(),
          "x");
  run.keepCheckpoints("", 2);
  EXPECT_FALSE(fs::exists(run.checkpointPath("", 5)));
  EXPECT_TRUE(fs::exists(run.checkpointPath("", 99999999)));
  EXPECT_TRUE(fs::exists(run.checkpointPath("", 100000000)));
}

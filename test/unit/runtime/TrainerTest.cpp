#include "runtime/run/Trainer.h"

#include "runtime/run/Interrupt.h"
#include "test/unit/runtime/LinearModel.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>

/// Counts what every thread of this program allocates.
static std::atomic<int64_t> allocations;

void *operator new(size_t size) {
  ++allocations;
  if (void *memory = std::malloc(size))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

using namespace gradus;

namespace {

class Training : public ScratchFolder {
protected:
  Training() {
    write("line.csv", lineCsv(120));
    linearCalls.steps.clear();
    linearCalls.evaluations.clear();
    linearCalls.stepRuns.clear();
    model.data = lineData({{"train", {0, 100}}, {"test", {100, 120}}});
  }

  /// Trains into `runs/<name>`, or nowhere.
  TrainResult train(const std::string &name = "") {
    DataReader reader(model.data, {"", folder});
    std::optional<RunFolder> run;
    if (!name.empty())
      run.emplace(RunFolder::Place{path(name), "line"});
    Progress progress(stderr, Progress::Style::Quiet, false);
    Trainer trainer(model, reader, run ? &*run : nullptr, progress);
    TrainResult result = trainer.run();
    for (float number : trainer.variables().find("param/w")->as<float>())
      weights.push_back(number);
    return result;
  }
  std::vector<nlohmann::json> metrics(const std::string &name) const {
    std::vector<nlohmann::json> lines;
    std::ifstream file(path(name + "/metrics.jsonl"));
    for (std::string line; std::getline(file, line);)
      lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  Model model = linearModel();
  std::vector<float> weights;
};

} // namespace

TEST_F(Training, LinearRegressionConverges) {
  TrainResult result = train();
  ASSERT_EQ(weights.size(), 3u);
  EXPECT_NEAR(weights[0], 3, 1e-3);
  EXPECT_NEAR(weights[1], -2, 1e-3);
  EXPECT_NEAR(weights[2], 1, 1e-3);
  EXPECT_EQ(result.epochs, 30);
  EXPECT_EQ(result.steps, 30 * 4);
  EXPECT_FALSE(result.interrupted);
  ASSERT_EQ(result.last.size(), 2u);
  EXPECT_EQ(result.last[0].split, "train");
  EXPECT_LT(*result.last[0].loss, 1e-4);
  EXPECT_EQ(result.last[1].split, "test");
  EXPECT_EQ(result.last[1].reports[0].first, "rmse");
  EXPECT_LT(result.last[1].reports[0].second, 1e-2);
  EXPECT_GE(result.last[1].reports[1].second, result.last[1].reports[0].second);
  EXPECT_GT(result.firstStepSeconds, 0);
  EXPECT_GT(result.medianStepSeconds, 0);
}

TEST_F(Training, LastSmallerBatchHasItsOwnStep) {
  train();
  EXPECT_EQ(linearCalls.steps, (std::multiset<int64_t>{4, 32}));
  EXPECT_EQ(linearCalls.stepRuns.at(32), 90);
  EXPECT_EQ(linearCalls.stepRuns.at(4), 30);
  // 20 rows of the split test are one batch.
  EXPECT_EQ(linearCalls.evaluations, (std::multiset<int64_t>{20}));
}

TEST_F(Training, ExactBatchesNeedNoOtherStep) {
  model.settings.batch = 50;
  train();
  EXPECT_EQ(linearCalls.steps, (std::multiset<int64_t>{50}));
}

TEST_F(Training, BatchAllIsOneStepAnEpoch) {
  model.data = lineData({{"train", {0, 60}}});
  model.settings.batch = 0;
  model.settings.epochs = 5;
  TrainResult result = train();
  EXPECT_EQ(result.steps, 5);
  EXPECT_EQ(linearCalls.steps, (std::multiset<int64_t>{60}));
  // Without another split reports run on `train`.
  ASSERT_EQ(result.last.size(), 1u);
  EXPECT_EQ(result.last[0].reports.size(), 2u);
  EXPECT_EQ(linearCalls.evaluations, (std::multiset<int64_t>{60}));
}

TEST_F(Training, SameBitsForTwoRunsAndOthersForAnotherSeed) {
  train();
  train();
  model.settings.seed = 1;
  train();
  using Weights = std::vector<float>;
  Weights first(weights.begin(), weights.begin() + 3);
  EXPECT_EQ(first, Weights(weights.begin() + 3, weights.begin() + 6));
  EXPECT_NE(first, Weights(weights.begin() + 6, weights.end()));
}

TEST_F(Training, StepsEndARunWithinAnEpoch) {
  model.settings.steps = 6;
  TrainResult result = train("run");
  EXPECT_EQ(result.steps, 6);
  EXPECT_EQ(result.epochs, 2);
  auto lines = metrics("run");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2]["step"], 6);
  EXPECT_EQ(lines[3]["split"], "test");
  model.settings.epochs = 0;
  EXPECT_EQ(train().steps, 6);
}

TEST_F(Training, LossOfAnEpochIsTheMeanOverItsRows) {
  model.variables[0].initial = {Initial::Constant, 0};
  model.variables[2].initial = {Initial::Constant, 0};
  model.settings.epochs = 1;
  TrainResult result = train();
  DataReader reader(model.data, {"", folder});
  Tensor y = std::move(reader.read("train").values[1]);
  double sum = 0;
  for (float value : y.as<float>())
    sum += double(value) * value;
  EXPECT_NEAR(*result.last[0].loss, sum / 100, 1e-5);
}

TEST_F(Training, WithoutReportsOtherSplitsAreNotRead) {
  model.reports.clear();
  std::get<CsvSource>(model.data.splits[1].source).file = "absent.csv";
  TrainResult result = train();
  EXPECT_EQ(result.last.size(), 1u);
  EXPECT_TRUE(linearCalls.evaluations.empty());
}

TEST_F(Training, ReportsComeAfterEachEpochAndAboutFiftyTimesInALongRun) {
  model.settings.epochs = 3;
  train("short");
  EXPECT_EQ(metrics("short").size(), 6u);
  model.settings.epochs = 205;
  train("long");
  auto lines = metrics("long");
  EXPECT_EQ(lines.size(), 2u * 52);
  EXPECT_EQ(lines.back()["epoch"], 205);
  model.settings.epochs = 7;
  model.settings.evalEvery = 3;
  train("third");
  EXPECT_EQ(metrics("third").size(), 6u);
}

TEST_F(Training, LeavesACompleteFolder) {
  train("run");
  auto lines = metrics("run");
  ASSERT_EQ(lines.size(), 60u);
  EXPECT_EQ(lines[0]["epoch"], 1);
  EXPECT_EQ(lines[0]["step"], 4);
  EXPECT_EQ(lines[0]["split"], "train");
  EXPECT_TRUE(lines[0]["loss"].is_number());
  EXPECT_TRUE(lines[0]["time_s"].is_number());
  EXPECT_TRUE(lines[0]["samples_s"].is_number());
  EXPECT_TRUE(lines[1]["rmse"].is_number());
  EXPECT_FALSE(lines[1].contains("loss"));

  Safetensors saved(path("run/weights.safetensors"));
  EXPECT_EQ(saved.entries().size(), 1u);
  EXPECT_EQ(saved.read("w").as<float>()[0], weights[0]);
  Safetensors checkpoint(path("run/checkpoint-00000120.safetensors"));
  EXPECT_EQ(checkpoint.entries().size(), 2u);
  EXPECT_NE(checkpoint.find("slot/momentum/w.m"), nullptr);
  RunPosition position = positionOf(checkpoint);
  EXPECT_EQ(position.step, 120);
  EXPECT_EQ(position.epoch, 31);
  EXPECT_EQ(position.batch, 0);
  for (const auto &entry : std::filesystem::directory_iterator(path("run")))
    EXPECT_EQ(entry.path().string().find(".part-"), std::string::npos);
}

TEST_F(Training, CheckpointsCanBeAskedForEachEpoch) {
  model.settings.epochs = 5;
  model.settings.checkpointEvery = 2;
  train("run");
  // The two latest of epochs 2, 4 and the end.
  EXPECT_TRUE(
      std::filesystem::exists(path("run/checkpoint-00000016.safetensors")));
  EXPECT_TRUE(
      std::filesystem::exists(path("run/checkpoint-00000020.safetensors")));
  EXPECT_FALSE(
      std::filesystem::exists(path("run/checkpoint-00000008.safetensors")));
}

TEST_F(Training, InterruptedRunLeavesAValidFolder) {
  Interrupt interrupt;
  auto compile = model.step;
  // The signal arrives in the first epoch.
  model.step = [compile](int64_t batch) {
    CompiledFunction function = compile(batch);
    if (batch == 32)
      function.calls.push_back(
          {"interrupt",
           [](void *const *, const Worker *) { std::raise(SIGINT); },
           {}});
    return function;
  };
  ::testing::internal::CaptureStderr();
  TrainResult result = train("run");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find(
                "press Ctrl-C again to stop now"),
            std::string::npos);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.steps, 1);
  Safetensors checkpoint(path("run/checkpoint-00000001.safetensors"));
  RunPosition position = positionOf(checkpoint);
  EXPECT_EQ(position.step, 1);
  EXPECT_EQ(position.epoch, 1);
  EXPECT_EQ(position.batch, 1);
  EXPECT_EQ(position.lossRows, 32);
  EXPECT_EQ(checkpoint.read("w").as<float>()[2], weights[2]);
  EXPECT_EQ(metrics("run").size(), 1u);
}

TEST_F(Training, LossThatIsNotFiniteStopsTheRun) {
  model.variables[2].initial = {Initial::Constant, 1e6};
  EXPECT_EQ(messageOf([&] { train("run"); }).substr(0, 32),
            "error[E1003]: the loss became in");
  model.variables[0].initial = {Initial::Constant,
                                std::numeric_limits<double>::quiet_NaN()};
  EXPECT_EQ(messageOf([&] { train(); }),
            "error[E1003]: the loss became NaN in step 1, in epoch 1\n"
            "  = help: often a smaller learning rate helps, as in `lr=1e-4` on "
            "the command line\n");
}

TEST_F(Training, DivergedRunKeepsItsLastGoodWeights) {
  static int runs;
  runs = 0;
  model.settings.checkpointEvery = 1;
  auto compile = model.step;
  model.step = [compile](int64_t batch) {
    CompiledFunction function = compile(batch);
    // In the third epoch of four steps the loss is NaN.
    function.calls.push_back({"diverge",
                              [](void *const *buffers, const Worker *) {
                                if (++runs == 10)
                                  *static_cast<float *>(buffers[0]) = NAN;
                              },
                              {{Location::External, 5, 0}}});
    return function;
  };
  EXPECT_EQ(messageOf([&] { train("run"); }),
            "error[E1003]: the loss became NaN in step 10, in epoch 3\n"
            "  = note: the weights of step 8 are kept in "
            "`run/weights.safetensors`\n"
            "  = help: often a smaller learning rate helps, as in `lr=1e-4` on "
            "the command line\n");
  EXPECT_EQ(positionOf(Safetensors(path("run/weights.safetensors"))).step, 8);
}

TEST_F(Training, WeightsThatAreNotFiniteAreNotSaved) {
  model.settings.epochs = 1;
  auto compile = model.step;
  model.step = [compile](int64_t batch) {
    CompiledFunction function = compile(batch);
    if (batch == 4)
      function.calls.push_back({"diverge",
                                [](void *const *buffers, const Worker *) {
                                  static_cast<float *>(buffers[0])[1] =
                                      -INFINITY;
                                },
                                {{Location::External, 0, 0}}});
    return function;
  };
  EXPECT_EQ(
      messageOf([&] { train("run"); }).substr(0, 64),
      "error[E1020]: `w` became infinite in step 4, in epoch 1\n  = help");
  EXPECT_FALSE(std::filesystem::exists(path("run/weights.safetensors")));
}

TEST_F(Training, AStepAllocatesNothing) {
  static std::vector<int64_t> seen;
  seen.assign(0, 0);
  seen.reserve(1000);
  auto compile = model.step;
  model.settings.batch = 10;
  model.settings.epochs = 3;
  model.step = [compile](int64_t batch) {
    CompiledFunction function = compile(batch);
    function.calls.push_back({"count",
                              [](void *const *, const Worker *) {
                                seen.push_back(allocations.load());
                              },
                              {}});
    return function;
  };
  train();
  ASSERT_EQ(seen.size(), 30u);
  // Within the last epoch; the other thread is done by then.
  EXPECT_EQ(seen[21], seen[29]);
}

TEST_F(Training, StepWithoutALossIsRefused) {
  model.step = [](int64_t) { return CompiledFunction(); };
  EXPECT_THROW(train(), std::logic_error);
}

TEST_F(Training, RunWithoutAnEndIsRefused) {
  model.settings.epochs = 0;
  EXPECT_EQ(messageOf([&] { train(); }),
            "error[E1013]: `train` sets neither `epochs` nor `steps`\n"
            "  = help: `epochs = 10` ends it after ten passes over the data\n");
}

TEST_F(Training, ErrorsOfTheOtherThreadReachTheCaller) {
  model.evaluate = [](int64_t) -> CompiledFunction {
    throw Error(fault::OutOfMemory, "kernels");
  };
  EXPECT_EQ(messageOf([&] { train(); }),
            "error[E1052]: there is not enough memory for kernels\n");
}

TEST_F(Training, MissingTestDataShowBeforeTraining) {
  std::get<CsvSource>(model.data.splits[1].source).file = "absent.csv";
  EXPECT_NE(messageOf([&] { train(); }).find("`absent.csv` does not exist"),
            std::string::npos);
  EXPECT_TRUE(linearCalls.stepRuns.empty());
}

#include "runtime/run/Preparation.h"

#include "runtime/Error.h"
#include "test/unit/runtime/LinearModel.h"
#include "test/unit/runtime/ScratchFolder.h"

using namespace gradus;

namespace {

class Preparing : public ScratchFolder {
protected:
  Preparing() {
    write("line.csv", lineCsv(120));
    model.data = lineData(
        {{"train", {0, 100}}, {"check", {100, 110}}, {"test", {110, 120}}});
    linearCalls.steps.clear();
  }
  Preparation prepared(int64_t batch, bool readOthers = true) {
    model.settings.batch = batch;
    DataReader reader(model.data, {"", folder});
    return prepare(model, reader, readOthers);
  }

  Model model = linearModel();
};

TEST_F(Preparing, ReadsAllSplitsAndCompilesForTheBatch) {
  Preparation all = prepared(32);
  EXPECT_EQ(all.train.rows, 100);
  ASSERT_EQ(all.others.size(), 2u);
  EXPECT_EQ(all.others[0].rows, 10);
  EXPECT_EQ(all.batchRows, 32);
  EXPECT_EQ(all.step.name, "step");
  EXPECT_GE(all.compileSeconds, 0);
  EXPECT_EQ(linearCalls.steps, (std::multiset<int64_t>{32}));
}

TEST_F(Preparing, ReadsOnlyTheTrainingSplitIfThatIsEnough) {
  EXPECT_TRUE(prepared(32, /*readOthers=*/false).others.empty());
}

TEST_F(Preparing, CompilesForAllRowsOnceTheyAreKnown) {
  model.data = lineData({{"train", {0, 60}}});
  EXPECT_EQ(prepared(0).batchRows, 60);
  EXPECT_EQ(linearCalls.steps, (std::multiset<int64_t>{60}));
}

TEST_F(Preparing, CutsABatchLargerThanTheSplit) {
  model.data = lineData({{"train", {0, 20}}});
  Preparation small = prepared(64);
  EXPECT_EQ(small.batchRows, 20);
  EXPECT_EQ(small.step.buffers[2].shape, (std::vector<int64_t>{20, 2}));
}

TEST_F(Preparing, ReportsBadDataRatherThanWhatCompilingSays) {
  model.step = [](int64_t) -> CompiledFunction {
    throw std::runtime_error("compiled");
  };
  EXPECT_THROW(prepared(32), std::runtime_error);
  write("line.csv", "a,b,y\n1,2\n");
  EXPECT_THROW(prepared(32), Error);
}

} // namespace

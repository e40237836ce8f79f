#include "runtime/run/Evaluation.h"

#include "runtime/data/DataReader.h"
#include "test/unit/runtime/LinearModel.h"
#include "test/unit/runtime/ScratchFolder.h"

using namespace gradus;

namespace {
class Evaluating : public ScratchFolder {
protected:
  Evaluating() {
    write("line.csv", lineCsv(50));
    rows = DataReader(lineData({{"test", {0, 50}}}), {"", folder}).read("test");
    linearCalls.evaluations.clear();
  }
  ReportValues run(int64_t batch) {
    Variables values(model, 0);
    Evaluation evaluation(model, values, compileEvaluation(model, {}));
    return evaluation.run(rows, batch, 0);
  }

  Model model = linearModel();
  Dataset rows;
};
} // namespace

TEST(BatchSizes, AreTheFullAndTheLastOne) {
  using Sizes = std::vector<int64_t>;
  EXPECT_EQ(batchSizes(50, 20), (Sizes{20, 10}));
  EXPECT_EQ(batchSizes(40, 20), (Sizes{20}));
  EXPECT_EQ(batchSizes(5, 20), (Sizes{5}));
  EXPECT_EQ(batchSizes(5, 0), (Sizes{5}));
}

TEST_F(Evaluating, IsExactForAnyBatch) {
  ReportValues whole = run(0);
  ASSERT_EQ(whole.size(), 2u);
  EXPECT_EQ(whole[0].first, "rmse");
  EXPECT_EQ(whole[1].first, "worst");
  EXPECT_GT(whole[1].second, whole[0].second);
  for (int64_t batch : {1, 7, 20, 50}) {
    ReportValues parts = run(batch);
    EXPECT_NEAR(parts[0].second, whole[0].second, 1e-12);
    EXPECT_EQ(parts[1].second, whole[1].second);
  }
}

TEST_F(Evaluating, RunsTwiceWithTheSameResult) {
  Variables values(model, 0);
  Evaluation evaluation(model, values, compileEvaluation(model, {20, 10}));
  ReportValues first = evaluation.run(rows, 20, 0);
  EXPECT_EQ(first, evaluation.run(rows, 20, 0));
  EXPECT_EQ(linearCalls.evaluations, (std::multiset<int64_t>{10, 20}));
}

TEST_F(Evaluating, TakesLeastAndKeepsNaN) {
  model.reports[1].partials = {Reduction::Min};
  double least = run(10)[1].second;
  model.reports[1].partials = {Reduction::Max};
  EXPECT_LT(least, run(10)[1].second);
  rows.values[1].set(25, NAN);
  EXPECT_TRUE(std::isnan(run(10)[0].second));
}

TEST_F(Evaluating, RefusesWhatTheCompilerMustNotProduce) {
  model.reports[0].partials.push_back(Reduction::Sum);
  EXPECT_THROW(run(10), std::logic_error);
  model.reports = {{"other", {}}};
  EXPECT_THROW(run(10), std::logic_error);
  model = linearModel();
  auto compile = model.evaluate;
  model.evaluate = [compile](int64_t batch) { return compile(batch + 1); };
  EXPECT_THROW(run(10), std::logic_error);
}

TEST_F(Evaluating, OfASplitIsWhatTestDoes) {
  DataReader reader(lineData({{"test", {0, 50}}}), {"", folder});
  Variables values(model, 0);
  Metrics metrics = evaluateSplit(model, values, reader, "test");
  EXPECT_EQ(metrics.split, "test");
  EXPECT_EQ(metrics.reports, run(32));
  EXPECT_GT(metrics.samplesPerSecond, 0);
}

TEST(ReportTable, HasALineForEachReportAndAColumnForEachSplit) {
  std::vector<Metrics> records(2);
  records[0].split = "valid";
  records[0].reports = {{"accuracy", 0.875}, {"r", 1e-7}};
  records[1].split = "test";
  records[1].reports = {{"accuracy", 0.8512349}, {"r", 2}};
  EXPECT_EQ(reportTable(records), "report           valid          test\n"
                                  "accuracy         0.875      0.851235\n"
                                  "r                1e-07             2\n");
  EXPECT_EQ(reportTable({}), "");
}

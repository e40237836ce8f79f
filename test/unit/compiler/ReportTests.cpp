// Reports over a whole split: partial results of unequal batches, combined and
// finished, equal the report on all rows at once.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>

namespace gradus {
namespace {

const char *text(const char *report) {
  static std::string model;
  model = std::string(R"(
data d { x: real; y: real; train from csv("none.csv", x = 0, y = 1) }
param w: real = 0
train on d(x, y), batch B = 2 {
  let error = w * x - y
  minimize mean(error^2) using sgd(lr = 0.1)
  report r = )") +
          report + "\n  steps = 1\n}\n";
  return model.c_str();
}

/// The report over the rows x = 1..5, y = x^2, at w = 2, in batches of 2, 2, 1.
double streamed(const char *report) {
  ModelRunner runner(text(report));
  std::map<std::string, double> sums, maxima;
  Numbers x{1, 2, 3, 4, 5};
  auto pair = runner.reports(2), single = runner.reports(1);
  auto &finish = pair.at("finish");
  std::vector<std::string> names;
  for (int i = 0; finish.has("partial/r/" + std::to_string(i)); ++i)
    names.push_back("partial/r/" + std::to_string(i));
  for (size_t first = 0; first < 5; first += 2) {
    Numbers rows(x.begin() + first, x.begin() + std::min<size_t>(first + 2, 5));
    auto &evaluate =
        rows.size() == 2 ? pair.at("evaluate") : single.at("evaluate");
    Numbers squares;
    for (double row : rows)
      squares.push_back(row * row);
    evaluate.set("field/x", rows);
    evaluate.set("field/y", squares);
    evaluate.set("param/w", {2});
    evaluate.run();
    for (const std::string &name : names) {
      double part = evaluate.get(name)[0];
      sums[name] += part;
      maxima[name] = first ? std::max(maxima[name], part) : part;
    }
  }
  bool isMax = std::string(report).substr(0, 3) == "max";
  for (const std::string &name : names)
    finish.set(name, {isMax ? maxima[name] : sums[name]});
  finish.set("rows", {5});
  finish.set("param/w", {2});
  finish.run();
  return finish.get("report/r")[0];
}

// error = 2x - x^2 = 1, 0, -3, -8, -15; its squares sum to 299.
TEST(Report, MeanOverAllRows) {
  EXPECT_DOUBLE_EQ(streamed("mean(error^2)"), 299.0 / 5);
}

TEST(Report, RootOfAMeanIsExact) {
  EXPECT_DOUBLE_EQ(streamed("sqrt(mean(error^2))"), std::sqrt(299.0 / 5));
}

TEST(Report, SumsMaximaAndFractions) {
  EXPECT_DOUBLE_EQ(streamed("sum(error^2)"), 299);
  EXPECT_DOUBLE_EQ(streamed("max(abs(error))"), 15);
  EXPECT_DOUBLE_EQ(streamed("mean(error < 0)"), 0.6);
}

TEST(Report, SeveralReductions) {
  EXPECT_DOUBLE_EQ(streamed("mean(error^2) / mean(x) + w^2"),
                   299.0 / 5 / 3 + 4);
}

TEST(Report, DotOverTheBatch) {
  EXPECT_DOUBLE_EQ(streamed("dot(error, x)"), 1 + 0 - 9 - 32 - 75);
}

TEST(Report, NestedReductionOverTheBatchIsRefused) {
  ModelRunner runner(text("mean((y - mean(y))^2)"));
  EXPECT_THROW(runner.reports(2), std::runtime_error);
  EXPECT_EQ(runner.messages(),
            "error[E0717]: report `r` cannot be computed batch by batch\n"
            " --> model.nn:7:14\n"
            "7 |   report r = mean((y - mean(y))^2)\n"
            "  |              ^^^^^^^^^^^^^^^^^^^^^\n"
            "  = help: sums, means and maxima over the batch can be combined, "
            "but not one within another, nor a derivative of one\n");
}

TEST(Report, DerivativeOfAReductionOverTheBatchIsRefused) {
  ModelRunner runner(text("grad(mean((w * x - y)^2), w)^2"));
  EXPECT_THROW(runner.reports(2), std::runtime_error);
  EXPECT_TRUE(runner.messages().starts_with(
      "error[E0717]: report `r` cannot be computed batch by batch\n"))
      << runner.messages();
}

} // namespace
} // namespace gradus

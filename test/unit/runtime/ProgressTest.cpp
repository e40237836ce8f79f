#include "runtime/run/Progress.h"

#include "test/unit/runtime/ScratchFolder.h"

#include <limits>

using namespace gradus;

namespace {

class Showing : public ScratchFolder {
protected:
  Showing() : out(std::fopen(path("out").c_str(), "w")) {}
  ~Showing() override { std::fclose(out); }
  std::string shown() const { return contents("out"); }

  FILE *out;
  Progress::State state{2, 5, 700, 1000, 70, 12345, 0.41236};
  std::vector<Metrics> records{
      {2, 938, "train", 3, 51234, 0.41236, {}},
      {2, 938, "test", 3.26, 90000, std::nullopt, {{"accuracy", 0.85371}}}};
};

} // namespace

TEST_F(Showing, BarHasRateTimeLeftAndLoss) {
  EXPECT_EQ(
      progressBar(state, 200),
      "epoch 2/5 [==============>     ]  70%  12.3k samples/s  0:30 left  "
      "loss 0.4124");
  EXPECT_EQ(progressBar(state, 12), "epoch 2/5 [=");
  state.step = 1000;
  EXPECT_NE(progressBar(state, 200).find("[====================] 100%"),
            std::string::npos);
  state.step = 0;
  EXPECT_NE(progressBar(state, 200).find("[>                   ]   0%"),
            std::string::npos);
}

TEST_F(Showing, EpochLineHasEverySplit) {
  EXPECT_EQ(epochLine(records, 5),
            "epoch 2/5  step 938  loss 0.4124  test accuracy 0.8537  51.2k "
            "samples/s  3.3 s");
  EXPECT_EQ(epochLine({}, 5), "");
  records.pop_back();
  EXPECT_EQ(epochLine(records, 0),
            "epoch 2  step 938  loss 0.4124  51.2k samples/s  3.0 s");
}

TEST_F(Showing, TimesAndRates) {
  EXPECT_EQ(timeText(0), "0:00");
  EXPECT_EQ(timeText(59.7), "1:00");
  EXPECT_EQ(timeText(3723), "1:02:03");
  EXPECT_EQ(timeText(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(rateText(950), "950");
  EXPECT_EQ(rateText(2.5e6), "2.5M");
}

TEST_F(Showing, PlainLinesHaveNoControlCharacters) {
  Progress progress(out, Progress::Style::Lines, true);
  progress.step(state);
  state.seconds += 1;
  progress.step(state);
  progress.report(records, 5);
  progress.note("done");
  EXPECT_EQ(shown(), progressBar({2, 5, 700, 1000, 70, 12345, 0.41236}, 200) +
                         "\n" + epochLine(records, 5) + "\ndone\n");
}

TEST_F(Showing, BarIsRedrawnAtMostTenTimesASecondAndCleared) {
  Progress progress(out, Progress::Style::Bar, false);
  progress.step(state);
  std::string first = shown();
  state.seconds += 0.05;
  progress.step(state);
  EXPECT_EQ(shown(), first);
  state.seconds += 0.06;
  progress.step(state);
  std::string second = shown();
  EXPECT_EQ(second.substr(first.size(), 4), "\r\033[K");
  progress.note("done");
  EXPECT_EQ(shown(), second + "\r\033[Kdone\n");
}

TEST_F(Showing, ColourIsForTheBarOnly) {
  Progress(out, Progress::Style::Bar, true).step(state);
  EXPECT_TRUE(shown().starts_with("\033[36mepoch 2/5"));
}

TEST_F(Showing, QuietSaysNothing) {
  Progress progress(out, Progress::Style::Quiet, true);
  progress.step(state);
  progress.report(records, 5);
  progress.note("done");
  EXPECT_EQ(shown(), "");
}

TEST_F(Showing, AFileGetsPlainLines) {
  Progress progress = Progress::standard(out, false);
  progress.step(state);
  EXPECT_EQ(shown().find('\033'), std::string::npos);
  EXPECT_TRUE(shown().ends_with("\n"));
}

// What a user sees of a run while it goes: a bar on a terminal, plain lines
// elsewhere, nothing if asked to be quiet. It writes to stderr.
#pragma once

#include "runtime/run/Metrics.h"

#include <cstdio>

namespace gradus {

class Progress {
public:
  enum class Style : uint8_t { Bar, Lines, Quiet };

  /// `colour`: for the bar only.
  Progress(FILE *out, Style style, bool colour)
      : out(out), style(style), colour(colour) {}
  /// The style this stream asks for: a bar on a terminal that is not `dumb`;
  /// colour unless NO_COLOR is set.
  static Progress standard(FILE *out, bool quiet);

  struct State {
    int64_t epoch = 0, epochs = 0, step = 0, steps = 0;
    /// Since the run began.
    double seconds = 0;
    double samplesPerSecond = 0;
    /// Mean of the epoch so far.
    double loss = 0;
  };
  /// After each step; draws at most ten times a second, a line each 30 s.
  void step(const State &state);
  /// The records of all splits at the end of an epoch.
  void report(const std::vector<Metrics> &records, int64_t epochs);
  /// A line of its own.
  void note(const std::string &text);

private:
  void clearBar();

  FILE *out;
  Style style;
  bool colour;
  double lastDrawn = 0;
  bool barShown = false;
};

/// The bar: `epoch 2/5 [=====>    ] 45%  12.3k samples/s  0:32 left  loss
/// 0.41`, cut to `width` columns.
std::string progressBar(const Progress::State &state, int width);
/// The line of an epoch: `epoch 2/5  step 938  loss 0.41  test accuracy 0.85`.
std::string epochLine(const std::vector<Metrics> &records, int64_t epochs);
/// `0:32`, `1:02:03`.
std::string timeText(double seconds);
/// `12.3k`, `950`.
std::string rateText(double perSecond);

} // namespace gradus

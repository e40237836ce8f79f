#include "runtime/run/Progress.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace gradus {

Progress Progress::standard(FILE *out, bool quiet) {
  const char *terminal = std::getenv("TERM");
  bool drawable =
      isatty(fileno(out)) && terminal && std::strcmp(terminal, "dumb") != 0;
  const char *noColour = std::getenv("NO_COLOR");
  return Progress(out,
                  quiet      ? Style::Quiet
                  : drawable ? Style::Bar
                             : Style::Lines,
                  drawable && !(noColour && *noColour));
}

std::string timeText(double seconds) {
  if (!(seconds < 1e9))
    return "?";
  int64_t whole = std::llround(seconds);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60,
                       whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string rateText(double perSecond) {
  if (perSecond >= 1e6)
    return fmt::format("{:.1f}M", perSecond / 1e6);
  if (perSecond >= 1e4)
    return fmt::format("{:.1f}k", perSecond / 1e3);
  return fmt::format("{:.0f}", perSecond);
}

static std::string epochText(int64_t epoch, int64_t epochs) {
  return epochs > 0 ? fmt::format("epoch {}/{}", epoch, epochs)
                    : fmt::format("epoch {}", epoch);
}

std::string progressBar(const Progress::State &state, int width) {
  double done = state.steps > 0 ? double(state.step) / double(state.steps) : 0;
  constexpr int cells = 20;
  int filled = std::clamp(int(done * cells), 0, cells);
  std::string bar(size_t(filled), '=');
  if (filled < cells)
    bar += '>';
  bar.resize(cells, ' ');
  double left = done > 0 ? state.seconds * (1 - done) / done : INFINITY;
  std::string text =
      fmt::format("{} [{}] {:3.0f}%  {} samples/s  {} left  loss {}",
                  epochText(state.epoch, state.epochs), bar,
                  std::floor(100 * done), rateText(state.samplesPerSecond),
                  timeText(left), shortNumber(state.loss));
  if (int(text.size()) > width)
    text.resize(size_t(std::max(width, 0)));
  return text;
}

std::string epochLine(const std::vector<Metrics> &records, int64_t epochs) {
  if (records.empty())
    return "";
  const Metrics &first = records.front();
  std::string text =
      fmt::format("{}  step {}", epochText(first.epoch, epochs), first.step);
  for (const Metrics &record : records) {
    if (record.loss)
      text += "  loss " + shortNumber(*record.loss);
    for (const auto &[name, value] : record.reports)
      text += fmt::format("  {} {} {}", record.split, name, shortNumber(value));
  }
  return text + fmt::format("  {} samples/s  {:.1f} s",
                            rateText(first.samplesPerSecond),
                            records.back().seconds);
}

void Progress::clearBar() {
  if (barShown)
    std::fputs("\r\033[K", out);
  barShown = false;
}

void Progress::step(const State &state) {
  if (style == Style::Quiet ||
      state.seconds - lastDrawn < (style == Style::Bar ? 0.1 : 30))
    return;
  lastDrawn = state.seconds;
  winsize size = {};
  int width = style == Style::Bar &&
                      ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col
                  ? size.ws_col - 1
                  : 200;
  std::string text = progressBar(state, width);
  if (style == Style::Bar) {
    clearBar();
    if (colour)
      text = "\033[36m" + text + "\033[0m";
    std::fputs(text.c_str(), out);
    barShown = true;
  } else {
    std::fputs((text + "\n").c_str(), out);
  }
  std::fflush(out);
}

void Progress::report(const std::vector<Metrics> &records, int64_t epochs) {
  note(epochLine(records, epochs));
}

void Progress::note(const std::string &text) {
  if (style == Style::Quiet)
    return;
  clearBar();
  std::fputs((text + "\n").c_str(), out);
  std::fflush(out);
}

} // namespace gradus

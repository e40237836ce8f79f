// `gradus plan`: what a training step takes, before it runs: memory, when each
// value of it is alive, arithmetic and traffic by line of the source.
#include "runtime/run/OutputFile.h"
#include "runtime/run/Preparation.h"
#include "tools/gradus/ArenaPicture.h"
#include "tools/gradus/LineTable.h"
#include "tools/gradus/Table.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

namespace gradus {

namespace {

/// Bytes of what a step reads and writes outside of its arena, by what it is.
struct Buffers {
  int64_t parameters = 0, optimizer = 0, state = 0, batch = 0, other = 0;

  int64_t total() const {
    return parameters + optimizer + state + batch + other;
  }
};

struct Planned {
  int64_t batch = 0;
  std::string precision;
  Buffers buffers;
  StepAccount account;
  /// What loops keep, and what it would be without a budget.
  std::vector<KeptRounds> kept;
  int64_t budget = 0;
  Compiler::Unbounded unbounded;

  int64_t peak() const {
    std::vector<int64_t> alive = account.aliveBytes();
    return alive.empty() ? 0 : *std::ranges::max_element(alive);
  }
  /// Of the call during which most bytes are alive.
  size_t peakCall() const {
    std::vector<int64_t> alive = account.aliveBytes();
    return size_t(std::ranges::max_element(alive) - alive.begin());
  }
};

} // namespace

static Buffers buffersOf(const CompiledFunction &step) {
  Buffers buffers;
  for (const BufferInfo &buffer : step.buffers) {
    auto starts = [&](const char *space) {
      return buffer.name.starts_with(space);
    };
    (starts("param/")   ? buffers.parameters
     : starts("slot/")  ? buffers.optimizer
     : starts("state/") ? buffers.state
     : starts("field/") ? buffers.batch
                        : buffers.other) += buffer.bytes();
  }
  return buffers;
}

static int64_t keptBytes(const std::vector<KeptRounds> &kept) {
  int64_t bytes = 0;
  for (const KeptRounds &loop : kept)
    bytes += loop.bytes;
  return bytes;
}

static std::string shapeOf(const PlannedValue &value) {
  return value.isScratch ? "scratch"
                         : fmt::format("[{}]", fmt::join(value.shape, ", "));
}

//===-- For people --------------------------------------------------------===//

/// Characters for the life of a value; kernels share one if there are more.
static constexpr size_t barWidth = 26;
static constexpr size_t mostValues = 20;

static std::string barOf(const PlannedValue &value, size_t calls) {
  size_t width = std::min(barWidth, calls);
  auto column = [&](int64_t call) { return size_t(call) * width / calls; };
  std::string bar;
  for (size_t i = 0; i < width; ++i)
    bar += column(value.first) <= i && i <= column(value.last) ? "█" : "·";
  return bar;
}

/// The bytes alive, in eighths of the most.
static std::string aliveBar(const std::vector<int64_t> &alive) {
  static constexpr const char *eighths[] = {"·", "▁", "▂", "▃", "▄",
                                            "▅", "▆", "▇", "█"};
  size_t width = std::min(barWidth, alive.size());
  std::vector<int64_t> most(width);
  for (size_t i = 0; i < alive.size(); ++i)
    most[i * width / alive.size()] =
        std::max(most[i * width / alive.size()], alive[i]);
  int64_t peak =
      std::max<int64_t>(most.empty() ? 0 : *std::ranges::max_element(most), 1);
  std::string bar;
  for (int64_t bytes : most)
    bar += eighths[(8 * bytes + peak - 1) / peak];
  return bar;
}

static std::string memoryText(const Planned &planned) {
  const StepAccount &account = planned.account;
  std::string text;
  auto row = [&](const char *name, int64_t bytes, const std::string &what) {
    if (bytes > 0)
      text +=
          fmt::format("  {:<12}{:>10}{}{}\n", name, bytesText(double(bytes)),
                      what.empty() ? "" : "  ", what);
  };
  text += "memory\n";
  row("parameters", planned.buffers.parameters, "");
  row("optimizer", planned.buffers.optimizer, "");
  row("state", planned.buffers.state, "");
  row("batch", planned.buffers.batch, "");
  row("other", planned.buffers.other, "");
  std::string alive;
  if (planned.peak() > 0)
    alive =
        fmt::format("{} values; at most {} alive, in kernel {} of {}",
                    account.values.size(), bytesText(double(planned.peak())),
                    planned.peakCall() + 1, account.calls.size());
  row("arena", account.arenaBytes, alive);
  row("peak", planned.buffers.total() + account.arenaBytes,
      "of a step; the training data come to it");
  return text;
}

static std::string workText(const Planned &planned) {
  Work total = planned.account.total();
  int64_t values = 0, bytes = 0, traffic = 0;
  for (const CallAccount &call : planned.account.calls) {
    values += call.sparedValues;
    bytes += call.sparedBytes;
    traffic += call.sparedTraffic;
  }
  auto orNone = [](const std::string &text) {
    return text.empty() ? "0" : text;
  };
  std::string text = "work\n";
  text += fmt::format("  {:<12}{:>10}  FLOP in products, {} elements of other "
                      "operations\n",
                      "arithmetic", orNone(countText(double(total.flops))),
                      orNone(countText(double(total.elements))));
  text += fmt::format(
      "  {:<12}{:>10}  read and written by {} kernels, {:.3g} FLOP a byte\n",
      "moved", bytesText(double(total.bytes)), planned.account.calls.size(),
      total.bytes ? double(total.flops) / double(total.bytes) : 0);
  text += fmt::format("  {:<12}{:>10}  {} values that never reach memory; {} "
                      "less to move\n",
                      "fused away", bytesText(double(bytes)), values,
                      bytesText(double(traffic)));
  return text;
}

/// What the budget does to the loops, and its price.
static std::string budgetText(const Planned &planned) {
  std::string text;
  for (const KeptRounds &kept : planned.kept)
    text += "  " + describe(kept) + "\n";
  Work with = planned.account.total(), without = planned.unbounded.work;
  int64_t kept = keptBytes(planned.kept);
  int64_t wanted = keptBytes(planned.unbounded.kept);
  if (kept == 0 && wanted == 0)
    return "";
  std::string size = bytesText(double(planned.budget));
  if (with.flops == without.flops && kept == wanted)
    text += fmt::format("  the budget of {} is enough: nothing is computed "
                        "twice for it\n",
                        size);
  else
    text += fmt::format(
        "  the budget of {} spares {} and costs {} FLOP more ({:.1f} %), {} "
        "more to move\n",
        size, bytesText(double(std::max<int64_t>(wanted - kept, 0))),
        with.flops > without.flops
            ? countText(double(with.flops - without.flops))
            : "0",
        without.flops
            ? 100 * double(with.flops - without.flops) / double(without.flops)
            : 0,
        bytesText(double(std::max<int64_t>(with.bytes - without.bytes, 0))));
  return "loops\n" + text;
}

static std::string valuesText(const Planned &planned) {
  const StepAccount &account = planned.account;
  if (account.values.empty())
    return "";
  Table table({"value", "", ">size", ">line", ">kernels", "alive"});
  table.add({"all", "", bytesText(double(account.arenaBytes)), "",
             fmt::format("1-{}", account.calls.size()),
             aliveBar(account.aliveBytes())});
  size_t shown = std::min(mostValues, account.values.size());
  for (size_t i = 0; i < shown; ++i) {
    const PlannedValue &value = account.values[i];
    table.add({shortened(value.name, 24), shapeOf(value),
               bytesText(double(value.bytes)),
               value.line.source ? std::to_string(value.line.number) : "",
               fmt::format("{}-{}", value.first + 1, value.last + 1),
               barOf(value, account.calls.size())});
  }
  std::string text = table.text();
  int64_t rest = 0;
  for (size_t i = shown; i < account.values.size(); ++i)
    rest += account.values[i].bytes;
  if (shown < account.values.size())
    text += fmt::format("and {} smaller ones, {} together\n",
                        account.values.size() - shown, bytesText(double(rest)));
  return text;
}

static std::string linesText(const Planned &planned) {
  std::map<SourceLine, std::array<Work, 3>> lines;
  for (const auto &[key, work] : planned.account.lines())
    lines[key.first][size_t(key.second)] += work;
  LineTable table({">forward", ">backward", ">update", ">moved", ">%"});
  Work total = planned.account.total();
  for (const auto &[line, phases] : lines) {
    std::vector<std::string> cells;
    int64_t bytes = 0;
    for (const Work &work : phases) {
      cells.push_back(countText(double(work.flops)));
      bytes += work.bytes;
    }
    if (bytes == 0 && cells == std::vector<std::string>(3))
      continue;
    cells.push_back(bytesText(double(bytes)));
    cells.push_back(percentText(double(bytes) / double(total.bytes)));
    table.add(line, std::move(cells));
  }
  return "FLOP of products and bytes moved, by line\n" + table.text();
}

static void printText(const Planned &planned, const LoadedModel &loaded) {
  fmt::print("one step of {} on {} in {}\n\n", loaded.path,
             counted(uint64_t(planned.batch), "row"), planned.precision);
  std::string parts[] = {memoryText(planned), workText(planned),
                         budgetText(planned), valuesText(planned),
                         linesText(planned)};
  std::string text;
  for (const std::string &part : parts)
    if (!part.empty())
      text += (text.empty() ? "" : "\n") + part;
  fmt::print("{}", text);
}

//===-- For programs ------------------------------------------------------===//

static nlohmann::ordered_json json(const Work &work) {
  return {{"flops", work.flops},
          {"elements", work.elements},
          {"bytes", work.bytes}};
}

static nlohmann::ordered_json json(const LineWork &lines) {
  auto list = nlohmann::ordered_json::array();
  for (const auto &[key, work] : lines) {
    nlohmann::ordered_json one = lineJson(key.first);
    one["phase"] = phaseNames[size_t(key.second)];
    one.update(json(work));
    list.push_back(one);
  }
  return list;
}

static void printJson(const Planned &planned, const LoadedModel &loaded) {
  const StepAccount &account = planned.account;
  nlohmann::ordered_json all;
  all["model"] = loaded.path;
  all["precision"] = planned.precision;
  all["batch"] = planned.batch;
  all["memory"] = {{"parameters", planned.buffers.parameters},
                   {"optimizer", planned.buffers.optimizer},
                   {"state", planned.buffers.state},
                   {"batch", planned.buffers.batch},
                   {"other", planned.buffers.other},
                   {"arena", account.arenaBytes},
                   {"alive", planned.peak()},
                   {"peak", planned.buffers.total() + account.arenaBytes}};
  all["work"] = json(account.total());
  all["budget"] = {{"bytes", planned.budget},
                   {"kept", keptBytes(planned.kept)},
                   {"kept_without", keptBytes(planned.unbounded.kept)},
                   {"work_without", json(planned.unbounded.work)}};
  all["loops"] = nlohmann::ordered_json::array();
  for (const KeptRounds &kept : planned.kept)
    all["loops"].push_back({{"place", kept.place},
                            {"rounds", kept.rounds},
                            {"every", kept.every},
                            {"bytes", kept.bytes}});
  all["values"] = nlohmann::ordered_json::array();
  for (const PlannedValue &value : account.values) {
    nlohmann::ordered_json one;
    one["name"] = value.name;
    one.update(lineJson(value.line));
    one["scratch"] = value.isScratch;
    one["shape"] = value.shape;
    one["bytes"] = value.bytes;
    one["offset"] = value.offset;
    one["first_kernel"] = value.first + 1;
    one["last_kernel"] = value.last + 1;
    all["values"].push_back(one);
  }
  all["kernels"] = nlohmann::ordered_json::array();
  for (const CallAccount &call : account.calls) {
    nlohmann::ordered_json one;
    one["name"] = call.kernel;
    one["loop"] = call.isLoop;
    one.update(json(call.total()));
    one["fused_values"] = call.sparedValues;
    one["fused_bytes"] = call.sparedBytes;
    one["fused_traffic"] = call.sparedTraffic;
    one["lines"] = json(call.lines);
    all["kernels"].push_back(one);
  }
  all["lines"] = json(account.lines());
  fmt::print("{}\n", all.dump());
}

//===----------------------------------------------------------------------===//

ExitCode verbs::plan(const CommandLine &line) {
  auto loaded = loadModel(line);
  Planned planned;
  planned.batch = fullBatch(*loaded, line);
  planned.precision = loaded->precision == Precision::F64 ? "f64" : "f32";
  Compiler compiler(*loaded->program, loaded->options(line));
  Diagnostics diagnostics;
  Functions functions =
      compiler.step(planned.batch, diagnostics, planned.account);
  settle(diagnostics);
  const CompiledFunction &step = functions.at("step");
  planned.buffers = buffersOf(step);
  planned.kept = step.kept;
  planned.budget = compiler.memoryBudget();
  planned.unbounded = compiler.unbounded(planned.batch, diagnostics);
  settle(diagnostics);
  if (!line.svg.empty())
    writeFile(line.svg,
              arenaPicture(
                  planned.account,
                  fmt::format("{}: the arena of a step on {}, {}", loaded->path,
                              counted(uint64_t(planned.batch), "row"),
                              bytesText(double(planned.account.arenaBytes)))));
  if (line.json)
    printJson(planned, *loaded);
  else
    printText(planned, *loaded);
  return Fine;
}

} // namespace gradus

#include "runtime/run/Preparation.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <future>

namespace gradus {

using Clock = std::chrono::steady_clock;

Preparation prepare(const Model &model, DataReader &data, bool readOthers) {
  Preparation result;
  auto compile = [&model](int64_t rows) {
    Clock::time_point before = Clock::now();
    CompiledFunction step = model.step(rows);
    double seconds =
        std::chrono::duration<double>(Clock::now() - before).count();
    return std::make_pair(std::move(step), seconds);
  };
  // How many rows `all` are, the data tell.
  int64_t batch = model.settings.batch;
  std::future<std::pair<CompiledFunction, double>> early;
  if (batch)
    early = std::async(std::launch::async, compile, batch);

  // All splits at once, so that a missing file shows before an hour of
  // training.
  const std::string &name = data.trainingSplit().name;
  auto measured = Timing::measure(model.timing, "data", name);
  result.train = data.read(name);
  for (const Split &split : data.info().splits)
    if (readOthers && split.name != name)
      result.others.push_back(data.read(split.name));
  data.close();
  measured.end();

  int64_t rows = result.train.rows;
  result.batchRows = batch ? std::min(batch, rows) : rows;
  if (batch && batch <= rows)
    std::tie(result.step, result.compileSeconds) = early.get();
  else {
    // Functions of a model are compiled one after the other.
    if (early.valid())
      early.wait();
    std::tie(result.step, result.compileSeconds) = compile(rows);
  }
  return result;
}

std::string describe(const KeptRounds &kept) {
  std::string size =
      kept.bytes < 1 << 20
          ? fmt::format("{:.3g} KiB", double(kept.bytes) / 1024)
          : fmt::format("{:.3g} MiB", double(kept.bytes) / (1 << 20));
  if (kept.every == 1)
    return fmt::format("{} keeps each of its {} rounds: {}", kept.place,
                       kept.rounds, size);
  return fmt::format("{} keeps one of every {} of its {} rounds, {}, and "
                     "computes the others again for the derivative",
                     kept.place, kept.every, kept.rounds, size);
}

} // namespace gradus

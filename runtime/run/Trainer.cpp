#include "runtime/run/Trainer.h"

#include "runtime/Error.h"
#include "runtime/run/Interrupt.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gradus {

static double secondsBetween(std::chrono::steady_clock::time_point from,
                             std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

Trainer::Trainer(const Model &model, DataReader &data, RunFolder *folder,
                 Progress &progress)
    : model(model), data(data), folder(folder), progress(progress),
      values(model, model.settings.seed) {}

double Trainer::elapsed() const {
  return secondsBefore + secondsBetween(start, Clock::now());
}

void Trainer::resume(const Safetensors &checkpoint, double seconds) {
  values.load(checkpoint, /*withSlots=*/true);
  position = positionOf(checkpoint);
  secondsBefore = savedAt = seconds;
  savedStep = result.stepsBefore = position.step;
}

void Trainer::prepare() {
  const TrainSettings &settings = model.settings;
  if (settings.epochs <= 0 && settings.steps <= 0)
    throw Error(fault::NoEnd)
        .help("`epochs = 10` ends it after ten passes "
              "over the data");
  Preparation prepared = gradus::prepare(model, data, !model.reports.empty());
  train = std::move(prepared.train);
  others = std::move(prepared.others);
  values.setStatistics(model, train);
  batches.emplace(train, settings.batch ? settings.batch : train.rows,
                  settings.shuffle, settings.seed);
  totalSteps = settings.epochs * batches->count();
  if (settings.steps > 0 && (totalSteps <= 0 || settings.steps < totalSteps))
    totalSteps = settings.steps;
  totalEpochs = (totalSteps + batches->count() - 1) / batches->count();
  position.seed = settings.seed;
  stepSeconds.reserve(size_t(std::min<int64_t>(totalSteps, 4096)));
  // The price of a small memory budget.
  for (const KeptRounds &kept : prepared.step.kept)
    if (kept.every > 1)
      progress.note(describe(kept));
  full = bind(std::move(prepared.step));
}

void Trainer::compileLater() {
  int64_t tailRows = totalSteps >= batches->count() ? batches->tailRows() : 0;
  std::vector<int64_t> sizes;
  auto add = [&](const Dataset &rows) {
    for (int64_t size : batchSizes(rows.rows, model.settings.batch))
      sizes.push_back(size);
  };
  if (!model.reports.empty() && others.empty())
    add(train);
  for (const Dataset &rows : others)
    add(rows);
  late = std::async(std::launch::async, [this, tailRows, sizes] {
    LateCode code;
    if (tailRows)
      code.tail = model.step(tailRows);
    if (!sizes.empty())
      code.evaluation = compileEvaluation(model, sizes);
    return code;
  });
}

std::unique_ptr<BoundFunction> Trainer::bind(CompiledFunction function) {
  auto bound = std::make_unique<BoundFunction>(std::move(function), values);
  bound->connect(train);
  if (!bound->find("loss"))
    throw std::logic_error("the step has no buffer `loss`");
  return bound;
}

void Trainer::waitForLateCode() {
  if (!late.valid())
    return;
  LateCode code = late.get();
  if (code.tail)
    tail = bind(std::move(*code.tail));
  if (code.evaluation)
    evaluation = std::make_unique<Evaluation>(model, values,
                                              std::move(*code.evaluation));
}

double Trainer::step(int64_t index) {
  int64_t rows = batches->rowsOf(index);
  bool isFull = rows == batches->fullRows();
  if (!isFull)
    waitForLateCode();
  BoundFunction &function = isFull ? *full : *tail;
  Clock::time_point before = Clock::now();
  function.feed(*batches, index);
  function.setStep(position.step + 1);
  function.set("epoch", double(position.epoch));
  function.set("steps", double(totalSteps));
  function.setDraws(position.seed, position.step + 1, DrawFor::Training);
  function.run();
  double seconds = secondsBetween(before, Clock::now());
  epochSeconds += seconds;
  epochRows += rows;
  if (isFull) {
    if (stepSeconds.size() < stepSeconds.capacity())
      stepSeconds.push_back(float(seconds));
    else
      stepSeconds[size_t(position.step) % stepSeconds.size()] = float(seconds);
  }
  return function.find("loss")->at(0);
}

void Trainer::diverged(Error error) const {
  if (folder && savedStep > 0)
    error.note("the weights of step " + std::to_string(savedStep) +
               " are kept in `" + folder->weightsPath() + "`");
  throw error.help("often a smaller learning rate helps, as in `lr=1e-4` on "
                   "the command line");
}

void Trainer::runEpoch() {
  batches->startEpoch(position.epoch);
  while (position.batch < batches->count() && position.step < totalSteps) {
    Timing::Measured measured;
    if (position.step == result.stepsBefore)
      measured = Timing::measure(model.timing, "first step");
    double loss = step(position.batch);
    measured.end();
    if (!std::isfinite(loss))
      diverged(Error(fault::LossNotFinite,
                     std::isnan(loss) ? "NaN" : "infinite", position.step + 1,
                     position.epoch));
    int64_t rows = batches->rowsOf(position.batch);
    position.lossSum += loss * double(rows);
    position.lossRows += rows;
    ++position.batch;
    if (++position.step == result.stepsBefore + 1)
      result.firstStepSeconds = elapsed() - secondsBefore;
    double now = elapsed();
    progress.step({position.epoch, totalEpochs, position.step, totalSteps, now,
                   double(epochRows) / epochSeconds,
                   position.lossSum / double(position.lossRows)});
    if (Interrupt::requested()) {
      result.interrupted = true;
      return;
    }
    if (now - savedAt > 60)
      save();
  }
}

bool Trainer::due(int64_t every, int64_t otherwise) const {
  return position.step == totalSteps ||
         position.epoch % (every > 0 ? every : otherwise) == 0;
}

void Trainer::report() {
  std::vector<Metrics> records(1);
  records[0] = {position.epoch,
                position.step,
                train.split,
                elapsed(),
                double(epochRows) / epochSeconds,
                position.lossSum / double(position.lossRows),
                {},
                model.part};
  // After Ctrl-C nobody waits for an evaluation.
  if (!model.reports.empty() && !result.interrupted) {
    waitForLateCode();
    auto evaluate = [&](const Dataset &rows) {
      return evaluation->run(rows, model.settings.batch, position.seed);
    };
    if (others.empty())
      records[0].reports = evaluate(train);
    for (const Dataset &rows : others) {
      Clock::time_point before = Clock::now();
      ReportValues reports = evaluate(rows);
      double seconds = secondsBetween(before, Clock::now());
      records.push_back({position.epoch, position.step, rows.split, elapsed(),
                         double(rows.rows) / seconds, std::nullopt,
                         std::move(reports), model.part});
    }
  }
  if (folder)
    for (const Metrics &record : records)
      folder->add(record);
  progress.report(records, totalEpochs);
  result.last = std::move(records);
}

void Trainer::save() {
  if (auto bad = firstNotFinite(values))
    diverged(Error(fault::WeightsNotFinite, bad->first,
                   std::isnan(bad->second) ? "NaN" : "infinite", position.step,
                   (position.step - 1) / batches->count() + 1));
  savedAt = elapsed();
  savedStep = position.step;
  if (!folder)
    return;
  saveWeights(folder->checkpointPath(model.part, position.step), model, values,
              position, data.classNames(), true);
  saveWeights(folder->weightsPath(), model, values, position, data.classNames(),
              false);
  folder->keepCheckpoints(model.part, 2);
}

TrainResult Trainer::run() {
  start = Clock::now();
  prepare();
  compileLater();
  while (position.step < totalSteps && !result.interrupted) {
    epochSeconds = 0;
    epochRows = 0;
    runEpoch();
    if (result.interrupted ||
        due(model.settings.evalEvery, totalEpochs > 100 ? totalEpochs / 50 : 1))
      report();
    result.epochs = position.epoch;
    bool ends = position.batch == batches->count();
    bool saves = due(model.settings.checkpointEvery, 1) &&
                 (model.settings.checkpointEvery > 0 ||
                  elapsed() - savedAt > 1 || position.step == totalSteps);
    if (ends) {
      ++position.epoch;
      position.batch = 0;
      position.lossSum = 0;
      position.lossRows = 0;
    }
    if (saves || result.interrupted)
      save();
  }
  result.steps = position.step;
  result.seconds = elapsed() - secondsBefore;
  if (!stepSeconds.empty()) {
    auto middle = stepSeconds.begin() + int64_t(stepSeconds.size() / 2);
    std::nth_element(stepSeconds.begin(), middle, stepSeconds.end());
    result.medianStepSeconds = *middle;
  }
  if (result.interrupted)
    progress.note(
        "stopped at step " + std::to_string(position.step) +
        (folder ? "; its weights are in " + folder->weightsPath() : ""));
  return std::move(result);
}

} // namespace gradus

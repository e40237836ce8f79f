// See DescribeModel.h.
#include "tools/gradus/DescribeModel.h"
#include "compiler/DiagnosticKinds.h"
#include "runtime/Error.h"
#include "tools/gradus/DescribeData.h"
#include "tools/gradus/StatisticsUsed.h"

#include "llvm/Support/xxhash.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace gradus {

static Initial drawn(typed::Distribution::Kind kind, const double *arguments) {
  switch (kind) {
  case typed::Distribution::Normal:
    return {Initial::Normal, arguments[0], arguments[1], {}};
  case typed::Distribution::Uniform:
    return {Initial::Uniform, arguments[0], arguments[1], {}};
  case typed::Distribution::Bernoulli:
    return {Initial::Bernoulli, arguments[0], 0, {}};
  case typed::Distribution::He:
    return {Initial::Normal, 0, std::sqrt(2 / arguments[0]), {}};
  case typed::Distribution::Xavier:
    double bound = std::sqrt(6 / (arguments[0] + arguments[1]));
    return {Initial::Uniform, -bound, bound, {}};
  }
  return {};
}

/// Written numbers. The checker has seen to it that they are known by now.
static Initial initialOf(const construct::Instances &instances,
                         const typed::Expr &expr,
                         const construct::Instance &instance,
                         const std::string &name) {
  auto values = instances.elements(expr, instance);
  if (!values)
    throw std::logic_error("the start of " + name + " is not known");
  if (values->size() == 1)
    return {Initial::Constant, values->front(), 0, {}};
  return {Initial::Values, 0, 0, std::move(*values)};
}

/// What a parameter holds before the first step.
static Initial initialOf(const construct::Instances &instances,
                         const construct::Parameter &parameter) {
  auto number = [&](const typed::Expr &expr) {
    auto value = instances.evaluate(expr, *parameter.instance);
    if (!value)
      throw std::logic_error("the start of " + parameter.name +
                             " is not a number");
    return *value;
  };
  const auto &initial = parameter.declaration->initial;
  if (const auto *expr = std::get_if<const typed::Expr *>(&initial))
    return initialOf(instances, **expr, *parameter.instance, parameter.name);
  const auto &distribution = std::get<typed::Distribution>(initial);
  double arguments[2] = {};
  for (size_t i = 0; i < distribution.arguments.size(); ++i)
    arguments[i] = number(*distribution.arguments[i]);
  return drawn(distribution.kind, arguments);
}

static DataStatistic describe(const StatisticUse &use, Precision precision) {
  static_assert(int(typed::Statistic::Max) == int(DataStatistic::Max));
  const typed::Data::Field &field = use.data->fields[use.field];
  DataStatistic result;
  result.kind = DataStatistic::Kind(int(use.statistic));
  result.field = field.name;
  result.buffer = {fmt::format("data/{}.{}.{}", use.data->path, field.name,
                               typed::str(use.statistic)),
                   elementOf(typed::ElementType::Real, precision),
                   typed::evaluate(field.type.shape, {}), Access::Read};
  return result;
}

const typed::Data *ownData(const typed::Program &program) {
  if (program.train)
    return program.train->data;
  auto uses = statisticsUsed(program);
  return uses.empty() ? nullptr : uses.front().data;
}

std::vector<std::pair<const typed::Data *, DataStatistic>>
otherStatistics(const LoadedModel &loaded) {
  std::vector<std::pair<const typed::Data *, DataStatistic>> result;
  const typed::Data *own = ownData(*loaded.program);
  for (const StatisticUse &use : statisticsUsed(*loaded.program))
    if (use.data != own)
      result.emplace_back(use.data, describe(use, loaded.precision));
  return result;
}

Model describeParameters(const LoadedModel &loaded) {
  const typed::Program &program = *loaded.program;
  Model model;
  model.name = loaded.name;
  model.hash = fmt::format("{:016x}", llvm::xxh3_64bits(print(program)));
  model.settings.seed = loaded.seed;

  construct::Instances instances(program);
  for (const construct::Parameter &parameter : instances.parameters())
    model.variables.push_back(
        {{"param/" + parameter.name,
          elementOf(parameter.declaration->type.element, loaded.precision),
          parameter.shape, Access::Update},
         initialOf(instances, parameter)});

  for (const construct::StateVariable &state : instances.states())
    model.variables.push_back(
        {{"state/" + state.name,
          elementOf(state.declaration->type.element, loaded.precision),
          state.shape, Access::Update},
         initialOf(instances, *state.declaration->initial, *state.instance,
                   state.name)});

  // Those of other data are values like parameters: weights give them, or the
  // other data (loadWeights).
  const typed::Data *data = ownData(program);
  for (const StatisticUse &use : statisticsUsed(program)) {
    DataStatistic statistic = describe(use, loaded.precision);
    if (use.data == data)
      model.statistics.push_back(statistic);
    else
      model.variables.push_back(
          {statistic.buffer, {Initial::Constant, 0, 0, {}}});
  }
  if (data)
    model.data = describeData(*data, loaded.precision);
  if (program.trains.size() > 1)
    model.part = program.train->name;
  return model;
}

static TrainSettings describe(const typed::Train &train) {
  TrainSettings settings;
  settings.batch = train.batchSize.value_or(0);
  settings.epochs = train.settings.epochs.value_or(0);
  settings.steps = train.settings.steps.value_or(0);
  settings.seed = train.settings.seed;
  settings.shuffle = train.settings.shuffle;
  settings.evalEvery = train.settings.evalEvery.value_or(0);
  settings.checkpointEvery = train.settings.checkpointEvery.value_or(0);
  return settings;
}

/// The reports with their partials, in the order of the program, the loss first
/// if it can be computed over a split.
static std::vector<Report>
describeReports(const typed::Train &train,
                const std::map<std::string, std::string> &partials) {
  std::vector<Report> reports;
  auto add = [&](const std::string &name) {
    Report report{name, {}};
    for (;;) {
      auto found = partials.find(
          fmt::format("partial/{}/{}", name, report.partials.size()));
      if (found == partials.end())
        break;
      report.partials.push_back(found->second == "max"   ? Reduction::Max
                                : found->second == "min" ? Reduction::Min
                                                         : Reduction::Sum);
    }
    reports.push_back(report);
  };
  bool ownLoss = false;
  for (const typed::Report &report : train.reports)
    ownLoss |= report.name == "loss";
  if (!ownLoss && partials.contains("partial/loss/0"))
    add("loss");
  for (const typed::Report &report : train.reports)
    add(report.name);
  return reports;
}

/// settle, for a function on `batch` rows. What holds for full batches may fail
/// for a smaller one; then the message has to say which one is meant.
static void settleBatch(Diagnostics &diagnostics, int64_t batch,
                        int64_t fullBatch) {
  if (batch != fullBatch)
    diagnostics.noteAll(
        fmt::format("this is about a smaller batch, of {}, at the end of an "
                    "epoch or split",
                    counted(uint64_t(batch), "row")));
  settle(diagnostics);
}

Model describeTraining(const LoadedModel &loaded, Compiler &compiler,
                       int64_t batch) {
  const typed::Train &train = loaded.train();
  Model model = describeParameters(loaded);
  Diagnostics diagnostics;
  for (const Compiler::Slot &slot : compiler.slots(batch, diagnostics))
    model.variables.push_back(
        {slot.buffer, {Initial::Constant, slot.initial, 0, {}}});
  settle(diagnostics);
  model.settings = describe(train);
  model.reports = describeReports(train, compiler.partials(batch, diagnostics));
  settle(diagnostics);

  model.step = [&compiler, batch](int64_t rows) {
    Diagnostics diagnostics;
    auto functions = compiler.step(rows, diagnostics);
    settleBatch(diagnostics, rows, batch);
    return std::move(functions.at("step"));
  };
  // `finish` is the same for every batch and comes with each `evaluate`.
  auto finish = std::make_shared<std::optional<CompiledFunction>>();
  model.evaluate = [&compiler, batch, finish](int64_t rows) {
    Diagnostics diagnostics;
    auto functions = compiler.reports(rows, diagnostics);
    settleBatch(diagnostics, rows, batch);
    *finish = functions.at("finish");
    return std::move(functions.at("evaluate"));
  };
  model.finish = [&compiler, batch, finish] {
    if (*finish)
      return **finish;
    Diagnostics diagnostics;
    auto functions = compiler.reports(batch, diagnostics);
    settle(diagnostics);
    return std::move(functions.at("finish"));
  };
  return model;
}

} // namespace gradus

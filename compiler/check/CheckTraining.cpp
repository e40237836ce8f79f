// `train`: fields with the batch axis, losses and their optimizers, reports,
// settings.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>
#include <cmath>

namespace gradus::typed {

namespace {

/// Reads one `train` into its typed form.
class TrainReader {
public:
  /// Overrides of the command line count for that of the main file.
  TrainReader(CheckerState &state, FileScope &scope, const ast::Train &tree,
              Train &train, bool isMain)
      : state(state), tree(tree), train(train), isMain(isMain),
        body(state, scope, Body::Train, &train.requirements),
        fixed(state, scope, Body::Constant, nullptr),
        schedule(state, scope, Body::Schedule, nullptr) {}

  void read();

private:
  void readData();
  void readBatch();
  void readMinimize(const ast::Minimize &clause, Range range);
  void readOver(const ast::Expr &expr, Minimize &minimize);
  void readOptimizer(const ast::Expr &expr, Minimize &minimize);
  int64_t readEvery(const ast::Expr &expr);
  void readArguments(size_t index,
                     const std::vector<const Optimizer *> &optimizers);
  void readSettings();
  void checkAccumulate();
  const ast::Expr *overrideOf(const std::string &setting) {
    return isMain ? state.overrideOf(setting) : nullptr;
  }
  void readSetting(const std::string &name, const ast::Expr &value);
  std::optional<double> settingNumber(const std::string &name,
                                      const ast::Expr &value);

  CheckerState &state;
  const ast::Train &tree;
  Train &train;
  bool isMain;
  Body body, fixed, schedule;
  /// The calls behind `using`, one per minimize.
  std::vector<const ast::Call *> calls;
};

const std::vector<std::string> settingNames = {
    "epochs",     "steps",      "seed",
    "clip",       "clip_value", "shuffle",
    "accumulate", "eval_every", "checkpoint_every"};

} // namespace

void TrainReader::readData() {
  auto expression = [](Range range, auto node) {
    auto result = std::make_unique<ast::Expr>();
    result->range = range;
    result->node = std::move(node);
    return result;
  };
  const std::optional<ast::Name> &file = tree.dataFile;
  auto name =
      file ? expression(
                 Range::cover(file->range, tree.data.range),
                 ast::Member{expression(file->range, ast::NameUse{file->text}),
                             tree.data})
           : expression(tree.data.range, ast::NameUse{tree.data.text});
  Entity found = fixed.entity(*name);
  if (found.kind != Entity::Data && found.kind != Entity::Unknown)
    state.diagnostics.report(diag::NoData, name->range, name->range.text())
        .here(std::string(found.what));
  train.data = found.kind == Entity::Data ? found.data : nullptr;
  const Data *data = train.data;
  if (data && std::ranges::find(data->splits, "train", &Data::Split::name) ==
                  data->splits.end())
    state.diagnostics.report(diag::NoTrainSplit, tree.data.range, data->name)
        .label(data->range, "declared here");
  for (const ast::Name &field : tree.fields) {
    Type type = Type::poison();
    if (data) {
      auto position =
          std::ranges::find(data->fields, field.text, &Data::Field::name);
      if (position == data->fields.end()) {
        std::vector<std::string> names;
        for (const Data::Field &candidate : data->fields)
          names.push_back(candidate.name);
        Diagnostic &error = state.diagnostics.report(
            diag::UnknownField, field.range, data->name, field.text);
        std::string near = nearest(field.text, names);
        near.empty() ? error.help(fmt::format("its fields are: {}",
                                              fmt::join(names, ", ")))
                     : error.meant(near);
      } else {
        type = position->type;
        type.shape.insert(type.shape.begin(), Dim(*train.batch));
        train.fieldIndices.push_back(position - data->fields.begin());
      }
    }
    train.fields.push_back(body.declare(Local::Field, field, type));
  }
}

void TrainReader::readBatch() {
  train.batch = state.makeSymbol(Symbol::Batch, tree.batch.text);
  body.addGeneric(tree.batch, train.batch);
  const ast::Expr *size = overrideOf("batch");
  if (!size)
    size = tree.batchSize.get();
  if (auto *name = size->as<ast::NameUse>(); name && name->text == "all")
    return;
  auto found = fixed.size(*size);
  if (found)
    train.batchSize = found->constant();
}

void TrainReader::readOver(const ast::Expr &expr, Minimize &minimize) {
  bool isPath = expr.as<ast::NameUse>() || expr.as<ast::Member>() ||
                expr.as<ast::Index>();
  Entity found = isPath ? body.entity(expr) : Entity();
  if (isPath && found.kind == Entity::Unknown)
    return;
  if (found.kind == Entity::Layer || found.kind == Entity::AllParams ||
      found.kind == Entity::Param) {
    minimize.over.push_back({found.instance, found.param, expr.range});
    return;
  }
  state.diagnostics.report(diag::OverTarget, expr.range,
                           shortened(expr.range.text()));
}

void TrainReader::readOptimizer(const ast::Expr &expr, Minimize &minimize) {
  auto *call = expr.as<ast::Call>();
  const ast::Expr &callee = call ? *call->callee : expr;
  minimize.optimizerRange = expr.range;
  calls.push_back(call);
  Entity found = fixed.entity(callee);
  if (found.kind == Entity::Unknown)
    return;
  if (found.kind != Entity::Optimizer) {
    state.diagnostics
        .report(diag::NotAnOptimizer, callee.range,
                shortened(callee.range.text()), found.what)
        .help("as in `using adam(lr = 0.001)`");
    return;
  }
  minimize.optimizer = state.resolveOptimizer(*found.declaration);
  if (minimize.optimizer && !call) {
    state.diagnostics
        .report(diag::NotAValue, expr.range, shortened(expr.range.text()),
                found.what)
        .help(fmt::format("write `{}()`", shortened(expr.range.text())),
              {Edit::after(expr.range, "()")});
    minimize.optimizer = nullptr;
  }
}

void TrainReader::readMinimize(const ast::Minimize &clause, Range range) {
  Minimize &minimize = train.minimize.emplace_back();
  minimize.range = range;
  minimize.loss = body.realScalar(*clause.loss, "minimize");
  for (const auto &target : clause.over)
    readOver(*target, minimize);
  readOptimizer(*clause.optimizer, minimize);
  if (clause.every)
    minimize.every = readEvery(*clause.every);
}

int64_t TrainReader::readEvery(const ast::Expr &expr) {
  auto number = settingNumber("every", expr);
  if (!number)
    return 1;
  if (std::nearbyint(*number) == *number && *number >= 1 && *number < 0x1p53)
    return int64_t(*number);
  state.diagnostics.report(diag::BadSetting, expr.range, "every",
                           "a whole number, at least 1",
                           fmt::format("{}", *number));
  return 1;
}

// Arguments are read once all optimizers are known, because an override may
// name one by its position.
void TrainReader::readArguments(
    size_t index, const std::vector<const Optimizer *> &optimizers) {
  const ast::Call &call = *calls[index];
  Minimize &minimize = train.minimize[index];
  const Optimizer &optimizer = *minimize.optimizer;
  std::vector<std::string> names;
  for (const Local *argument : optimizer.arguments)
    names.push_back(argument->name);
  std::vector<const ast::Expr *> given(names.size(), nullptr);
  size_t position = 0;
  for (const ast::Argument &argument : call.arguments) {
    size_t at = position;
    if (argument.name)
      at = std::ranges::find(names, argument.name->text) - names.begin();
    else
      ++position;
    if (argument.name && at == names.size()) {
      state.reportParameter(*argument.name, names);
      continue;
    }
    if (at >= names.size()) {
      state.diagnostics.report(diag::TooManyArguments, argument.value->range,
                               optimizer.name, count(names.size(), "argument"),
                               call.arguments.size());
      return;
    }
    if (given[at])
      state.diagnostics.report(diag::ArgumentTwice, argument.value->range,
                               names[at]);
    given[at] = argument.value.get();
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (isMain)
      if (auto *other = state.overrideOfArgument(names[i], index, optimizers))
        given[i] = other;
    if (given[i] && optimizer.wholes[i])
      minimize.arguments.push_back(fixed.wholeValue(*given[i]));
    else if (given[i])
      minimize.arguments.push_back(schedule.realScalar(*given[i], names[i]));
    else
      minimize.arguments.push_back(optimizer.defaults[i]);
    if (!minimize.arguments.back())
      state.diagnostics.report(diag::MissingArgument, minimize.optimizerRange,
                               optimizer.name, names[i]);
  }
}

std::optional<double> TrainReader::settingNumber(const std::string &name,
                                                 const ast::Expr &value) {
  const Expr *expr = fixed.value(value);
  if (expr->type.isPoison())
    return std::nullopt;
  auto number = evaluate(*expr);
  if (!number || expr->type.element == ElementType::Bool) {
    state.diagnostics.report(diag::BadSetting, value.range, name, "a number",
                             fmt::format("`{}`", quoted(*expr)));
    return std::nullopt;
  }
  return number;
}

void TrainReader::readSetting(const std::string &name, const ast::Expr &value) {
  Settings &settings = train.settings;
  if (name == "shuffle") {
    const Expr *flag = fixed.value(value);
    if (flag->type.isPoison())
      return;
    if (flag->type.element != ElementType::Bool || !evaluate(*flag)) {
      state.diagnostics.report(diag::BadSetting, value.range, name,
                               "`true` or `false`",
                               fmt::format("`{}`", quoted(*flag)));
      return;
    }
    settings.shuffle = *evaluate(*flag) != 0;
    return;
  }
  auto number = settingNumber(name, value);
  if (!number)
    return;
  auto wrong = [&](std::string_view wanted) {
    state.diagnostics.report(diag::BadSetting, value.range, name, wanted,
                             fmt::format("{}", *number));
  };
  if (name == "clip" || name == "clip_value") {
    if (!(*number > 0) || std::isinf(*number))
      return wrong("greater than 0");
    (name == "clip" ? settings.clip : settings.clipValue) = number;
    return;
  }
  bool isWhole = std::nearbyint(*number) == *number && *number < 0x1p53;
  if (name == "seed") {
    if (!isWhole || *number < 0)
      return wrong("a whole number, at least 0");
    settings.seed = uint64_t(*number);
    return;
  }
  if (!isWhole || *number < 1)
    return wrong("a whole number, at least 1");
  if (name == "accumulate") {
    settings.accumulate = int64_t(*number);
    return;
  }
  (name == "epochs"       ? settings.epochs
   : name == "steps"      ? settings.steps
   : name == "eval_every" ? settings.evalEvery
                          : settings.checkpointEvery) = int64_t(*number);
}

void TrainReader::readSettings() {
  size_t errors = state.diagnostics.errorCount();
  std::map<std::string, Range> seen;
  std::map<std::string, const ast::Expr *> values;
  for (const ast::Clause &clause : tree.clauses) {
    auto *setting = clause.as<ast::Setting>();
    if (!setting)
      continue;
    const std::string &name = setting->name.text;
    if (std::ranges::find(settingNames, name) == settingNames.end()) {
      Diagnostic &error = state.diagnostics.report(diag::UnknownSetting,
                                                   setting->name.range, name);
      std::string near = nearest(name, settingNames);
      near.empty() ? error.help(fmt::format("there are: {}",
                                            fmt::join(settingNames, ", ")))
                   : error.meant(near);
      continue;
    }
    auto [found, isNew] = seen.emplace(name, setting->name.range);
    if (!isNew)
      state.diagnostics.report(diag::ArgumentTwice, setting->name.range, name)
          .label(found->second, "here already");
    values[name] = setting->value.get();
  }
  for (const std::string &name : settingNames)
    if (const ast::Expr *other = overrideOf(name)) {
      // How long a run takes is said by one of the two.
      if (name == "epochs" && !overrideOf("steps"))
        values.erase("steps");
      if (name == "steps" && !overrideOf("epochs"))
        values.erase("epochs");
      values[name] = other;
    }
  for (const auto &[name, value] : values)
    readSetting(name, *value);
  if (errors != state.diagnostics.errorCount())
    return;
  if (train.settings.epochs && train.settings.steps)
    state.diagnostics
        .report(diag::NoDuration,
                seen.contains("steps") ? seen["steps"] : tree.keyword)
        .here("`epochs` is given too");
  else if (!train.settings.epochs && !train.settings.steps)
    state.diagnostics.report(diag::NoDuration, tree.keyword)
        .help("add `epochs = 10` or `steps = 1000`");
}

// The second of several `minimize` would need the update of the first in the
// middle of a step.
void TrainReader::checkAccumulate() {
  if (train.settings.accumulate == 1)
    return;
  for (const Minimize &minimize : train.minimize)
    if (minimize.every > 1)
      state.refuse(minimize.range, "`every` with `accumulate` is");
}

void TrainReader::read() {
  readBatch();
  readData();
  for (const ast::Clause &clause : tree.clauses) {
    if (auto *let = clause.as<ast::Let>()) {
      body.letStatement(*let, clause.range, train.lets);
    } else if (auto *let = clause.as<ast::LetTuple>()) {
      body.letTuple(*let, clause.range, train.lets);
    } else if (auto *minimize = clause.as<ast::Minimize>()) {
      readMinimize(*minimize, clause.range);
    } else if (auto *report = clause.as<ast::Report>()) {
      auto twice =
          std::ranges::find(train.reports, report->name.text, &Report::name);
      if (twice != train.reports.end())
        state.diagnostics
            .report(diag::DeclaredTwice, report->name.range, report->name.text)
            .label(twice->range, "declared here first");
      train.reports.push_back({report->name.text, report->name.range,
                               body.realScalar(*report->value, "report")});
    }
  }
  if (train.minimize.empty())
    state.diagnostics.report(diag::NothingToDo, tree.keyword)
        .help("add `minimize LOSS using adam()`");
  std::vector<const Optimizer *> optimizers;
  for (const Minimize &minimize : train.minimize)
    optimizers.push_back(minimize.optimizer);
  for (size_t i = 0; i < train.minimize.size(); ++i)
    if (optimizers[i])
      readArguments(i, optimizers);
  readSettings();
  checkAccumulate();
}

const Train *CheckerState::checkTrain(FileScope &scope, const ast::Decl &decl,
                                      bool isMain) {
  const auto &tree = *decl.as<ast::Train>();
  Train *train = program->make<Train>();
  train->name = tree.name ? tree.name->text : "";
  train->doc = decl.doc;
  train->range = tree.keyword;
  open.push_back({tree.keyword, level});
  TrainReader(*this, scope, tree, *train, isMain).read();
  open.pop_back();
  return train;
}

} // namespace gradus::typed

// `gradus test`: the reports of a trained model over whole splits.
#include "runtime/run/Evaluation.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace gradus {

namespace {

/// `accuracy>=0.95`
struct ReportBound {
  std::string report;
  bool isLower;
  double value;

  std::string text() const {
    return fmt::format("{} {}", isLower ? "at least" : "at most", value);
  }
  /// NaN holds to no bound.
  bool holds(double x) const { return isLower ? x >= value : x <= value; }
};

} // namespace

static ReportBound parseBound(const std::string &text, const Model &model) {
  size_t sign = text.find_first_of("<>");
  std::optional<double> value;
  if (sign != std::string::npos && text.substr(sign + 1).starts_with('='))
    value = parseNumber(text.substr(
        std::min(text.find_first_not_of(' ', sign + 2), text.size())));
  if (!value)
    throw Error(fault::BadBound, text)
        .help("write it as in `--bound 'accuracy>=0.95'`");
  std::string name = text.substr(0, sign);
  name.erase(name.find_last_not_of(' ') + 1);
  std::string known;
  for (const Report &report : model.reports) {
    if (report.name == name)
      return {name, text[sign] == '>', *value};
    known += (known.empty() ? "`" : ", `") + report.name + "`";
  }
  throw Error(fault::BadBound, text)
      .note(fmt::format("the reports of `train` are {}", known));
}

static std::vector<std::string> splitsToTest(const DataReader &data,
                                             const CommandLine &line) {
  if (!line.split.empty())
    return {line.split};
  std::vector<std::string> splits;
  for (const Split &split : data.info().splits)
    if (split.name != data.trainingSplit().name)
      splits.push_back(split.name);
  if (splits.empty())
    splits.push_back(data.trainingSplit().name);
  return splits;
}

static void printJson(const std::vector<Metrics> &records,
                      const TrainedValues &values) {
  nlohmann::ordered_json json;
  json["weights"] = values.weights;
  json["step"] = values.step;
  for (const Metrics &record : records) {
    nlohmann::ordered_json &split = json["splits"][record.split];
    split = nlohmann::ordered_json::object();
    for (const auto &[name, value] : record.reports)
      split[name] = value;
  }
  fmt::print("{}\n", json.dump());
}

ExitCode verbs::test(const CommandLine &line) {
  auto loaded = loadModel(line);
  Compiler compiler(*loaded->program, loaded->options(line));
  Model model = describeTraining(*loaded, compiler, fullBatch(*loaded, line));
  std::vector<ReportBound> bounds;
  for (const std::string &text : line.bounds)
    bounds.push_back(parseBound(text, model));
  TrainedValues values = trainedValues(model, *loaded, line);
  DataReader data = dataReader(model, *loaded, line, values.labels);

  Evaluation evaluation(model, values.variables,
                        compileEvaluation(model, std::vector<int64_t>()));
  std::vector<Metrics> records;
  for (const std::string &name : splitsToTest(data, line)) {
    Dataset rows = data.read(name);
    Metrics record;
    record.split = name;
    record.step = values.step;
    record.reports = evaluation.run(rows, model.settings.batch, loaded->seed);
    records.push_back(std::move(record));
  }
  if (line.json)
    printJson(records, values);
  else
    fmt::print("{}", reportTable(records));

  ExitCode code = Fine;
  for (const Metrics &record : records)
    for (const auto &[name, value] : record.reports)
      for (const ReportBound &bound : bounds)
        if (bound.report == name && !bound.holds(value)) {
          showError(Error(fault::BoundFailed, name,
                          fmt::format("{:.6g}", value), record.split,
                          bound.text()));
          code = CheckFailed;
        }
  return code;
}

} // namespace gradus

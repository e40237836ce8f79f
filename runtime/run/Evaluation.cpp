#include "runtime/run/Evaluation.h"

#include "runtime/Error.h"
#include "runtime/data/Batches.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>

namespace gradus {

std::vector<int64_t> batchSizes(int64_t rows, int64_t batch) {
  int64_t full = std::min(rows, batch ? batch : rows);
  std::vector<int64_t> sizes{full};
  if (rows % full)
    sizes.push_back(rows % full);
  return sizes;
}

EvaluationCode compileEvaluation(const Model &model,
                                 const std::vector<int64_t> &sizes) {
  EvaluationCode code;
  for (int64_t size : sizes)
    if (!code.bySize.contains(size))
      code.bySize.emplace(size, model.evaluate(size));
  code.finish = model.finish();
  return code;
}

Evaluation::Evaluation(const Model &model, Variables &variables,
                       EvaluationCode code)
    : model(model), variables(variables) {
  for (auto &[size, function] : code.bySize)
    bySize[size] =
        std::make_unique<BoundFunction>(std::move(function), variables);
  finish = std::make_unique<BoundFunction>(std::move(code.finish), variables);
}

BoundFunction &Evaluation::ofSize(int64_t rows) {
  std::unique_ptr<BoundFunction> &slot = bySize[rows];
  if (!slot)
    slot = std::make_unique<BoundFunction>(model.evaluate(rows), variables);
  return *slot;
}

static std::string partialName(const Report &report, size_t i) {
  return "partial/" + report.name + "/" + std::to_string(i);
}

static double combine(Reduction reduction, double total, double part) {
  // A NaN anywhere shows in the result.
  if (std::isnan(total) || std::isnan(part))
    return std::numeric_limits<double>::quiet_NaN();
  switch (reduction) {
  case Reduction::Sum:
    return total + part;
  case Reduction::Max:
    return std::max(total, part);
  case Reduction::Min:
    return std::min(total, part);
  }
  return total;
}

ReportValues Evaluation::run(const Dataset &rows, int64_t batch,
                             uint64_t seed) {
  Batches batches(rows, batch ? batch : rows.rows, false, seed);
  for (int64_t index = 0; index < batches.count(); ++index) {
    BoundFunction &function = ofSize(batches.rowsOf(index));
    function.connect(rows);
    function.feed(batches, index);
    function.setDraws(seed, index, DrawFor::Evaluation);
    function.run();
    for (const Report &report : model.reports)
      for (size_t i = 0; i < report.partials.size(); ++i) {
        std::string name = partialName(report, i);
        Tensor *part = function.find(name), *total = finish->find(name);
        if (!part || !total || part->element() != Element::F64 ||
            part->shape() != total->shape() || total->element() != Element::F64)
          throw std::logic_error(name + " is not a buffer of f64 in both "
                                        "functions");
        auto from = part->as<double>();
        auto to = total->as<double>();
        for (size_t k = 0; k < to.size(); ++k)
          to[k] = index ? combine(report.partials[i], to[k], from[k]) : from[k];
      }
  }
  finish->set("rows", double(rows.rows));
  finish->run();
  ReportValues values;
  for (const Report &report : model.reports) {
    Tensor *value = finish->find("report/" + report.name);
    if (!value)
      throw std::logic_error("no buffer for report " + report.name);
    values.emplace_back(report.name, value->at(0));
  }
  return values;
}

Metrics evaluateSplit(const Model &model, Variables &variables,
                      DataReader &data, std::string_view split) {
  Dataset rows = data.read(split);
  Evaluation evaluation(
      model, variables,
      compileEvaluation(model, batchSizes(rows.rows, model.settings.batch)));
  auto before = std::chrono::steady_clock::now();
  Metrics metrics;
  metrics.split = rows.split;
  metrics.reports =
      evaluation.run(rows, model.settings.batch, model.settings.seed);
  metrics.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - before)
          .count();
  metrics.samplesPerSecond = double(rows.rows) / metrics.seconds;
  return metrics;
}

std::string reportTable(const std::vector<Metrics> &records) {
  std::string text;
  if (records.empty())
    return text;
  size_t width = 6;
  for (const auto &[name, value] : records.front().reports)
    width = std::max(width, name.size());
  text += fmt::format("{:<{}}", "report", width);
  for (const Metrics &record : records)
    text += fmt::format("  {:>12}", record.split);
  text += "\n";
  for (size_t i = 0; i < records.front().reports.size(); ++i) {
    text += fmt::format("{:<{}}", records.front().reports[i].first, width);
    for (const Metrics &record : records)
      text += fmt::format("  {:>12}",
                          fmt::format("{:.6g}", record.reports[i].second));
    text += "\n";
  }
  return text;
}

} // namespace gradus

// A model whose compiled functions are plain C++: least squares on
// y = 3 x0 - 2 x1 + 1 by gradient descent with momentum. It stands in for the
// compiler in tests of the trainer.
#pragma once

#include "runtime/run/Model.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <set>

namespace gradus {

/// What the fake compiler was asked for.
struct LinearModelCalls {
  std::mutex lock;
  std::multiset<int64_t> steps, evaluations;
  /// Runs of the step on each number of rows.
  std::map<int64_t, int> stepRuns;
};
inline LinearModelCalls linearCalls;

namespace linear {

template <int64_t batch> void stepKernel(void *const *buffers, const Worker *) {
  auto *w = static_cast<float *>(buffers[0]);
  auto *m = static_cast<float *>(buffers[1]);
  auto *x = static_cast<const float *>(buffers[2]);
  auto *y = static_cast<const float *>(buffers[3]);
  auto *t = static_cast<const float *>(buffers[4]);
  auto *loss = static_cast<float *>(buffers[5]);
  auto *rate = static_cast<const float *>(buffers[6]);
  double sum = 0, gradient[3] = {};
  for (int64_t i = 0; i < batch; ++i) {
    double error = w[0] * x[2 * i] + w[1] * x[2 * i + 1] + w[2] - y[i];
    sum += error * error;
    gradient[0] += 2 * error * x[2 * i];
    gradient[1] += 2 * error * x[2 * i + 1];
    gradient[2] += 2 * error;
  }
  *loss = float(sum / double(batch));
  for (int k = 0; k < 3; ++k) {
    m[k] = 0.5f * m[k] + float(gradient[k] / double(batch));
    w[k] -= *rate * m[k];
  }
  ++linearCalls.stepRuns[batch];
  (void)t;
}

template <int64_t batch>
void evaluateKernel(void *const *buffers, const Worker *) {
  auto *w = static_cast<const float *>(buffers[0]);
  auto *x = static_cast<const float *>(buffers[1]);
  auto *y = static_cast<const float *>(buffers[2]);
  auto *sum = static_cast<double *>(buffers[3]);
  auto *worst = static_cast<double *>(buffers[4]);
  *sum = *worst = 0;
  for (int64_t i = 0; i < batch; ++i) {
    double error = w[0] * x[2 * i] + w[1] * x[2 * i + 1] + w[2] - y[i];
    *sum += error * error;
    *worst = std::max(*worst, std::abs(error));
  }
}

inline void finishKernel(void *const *buffers, const Worker *) {
  auto *sum = static_cast<const double *>(buffers[0]);
  auto *worst = static_cast<const double *>(buffers[1]);
  auto *rows = static_cast<const double *>(buffers[2]);
  *static_cast<double *>(buffers[3]) = std::sqrt(*sum / *rows);
  *static_cast<double *>(buffers[4]) = *worst;
}

/// The kernel for a batch known only at run time.
template <template <int64_t> class Kernel, int64_t... sizes>
KernelEntry select(int64_t batch, std::integer_sequence<int64_t, sizes...>) {
  KernelEntry entry = nullptr;
  ((batch == sizes + 1 ? entry = Kernel<sizes + 1>::entry : nullptr), ...);
  return entry;
}
template <int64_t batch> struct Step {
  static constexpr KernelEntry entry = stepKernel<batch>;
};
template <int64_t batch> struct Evaluate {
  static constexpr KernelEntry entry = evaluateKernel<batch>;
};
using Sizes = std::make_integer_sequence<int64_t, 64>;

/// One kernel on all buffers, in their order.
inline CompiledFunction function(std::string name, KernelEntry entry,
                                 std::vector<BufferInfo> buffers) {
  CompiledFunction result;
  result.name = std::move(name);
  result.buffers = std::move(buffers);
  KernelCall call{result.name, entry, {}};
  for (size_t i = 0; i < result.buffers.size(); ++i)
    call.operands.push_back({Location::External, int32_t(i), 0});
  result.calls.push_back(std::move(call));
  return result;
}

} // namespace linear

/// Batches of at most 64 rows. Data: fields x: real[2] and y: real.
inline Model linearModel() {
  using enum Element;
  Model model;
  model.name = "line";
  model.hash = "abc";
  model.variables = {
      {{"param/w", F32, {3}, Access::Update}, {Initial::Normal, 0, 0.1}},
      {{"slot/momentum/w.m", F32, {3}, Access::Update}, {}},
      {{"const/rate", F32, {}, Access::Read}, {Initial::Constant, 0.05}}};
  model.settings.batch = 32;
  model.settings.epochs = 30;
  model.reports = {{"rmse", {Reduction::Sum}}, {"worst", {Reduction::Max}}};
  model.step = [](int64_t batch) {
    std::lock_guard guard(linearCalls.lock);
    linearCalls.steps.insert(batch);
    return linear::function(
        "step", linear::select<linear::Step>(batch, linear::Sizes()),
        {{"param/w", F32, {3}, Access::Update},
         {"slot/momentum/w.m", F32, {3}, Access::Update},
         {"field/x", F32, {batch, 2}, Access::Read},
         {"field/y", F32, {batch}, Access::Read},
         {"t", F32, {}, Access::Read},
         {"loss", F32, {}, Access::Write},
         {"const/rate", F32, {}, Access::Read}});
  };
  model.evaluate = [](int64_t batch) {
    std::lock_guard guard(linearCalls.lock);
    linearCalls.evaluations.insert(batch);
    return linear::function(
        "evaluate", linear::select<linear::Evaluate>(batch, linear::Sizes()),
        {{"param/w", F32, {3}, Access::Read},
         {"field/x", F32, {batch, 2}, Access::Read},
         {"field/y", F32, {batch}, Access::Read},
         {"partial/rmse/0", F64, {}, Access::Write},
         {"partial/worst/0", F64, {}, Access::Write}});
  };
  model.finish = [] {
    return linear::function("finish", linear::finishKernel,
                            {{"partial/rmse/0", F64, {}, Access::Read},
                             {"partial/worst/0", F64, {}, Access::Read},
                             {"rows", F64, {}, Access::Read},
                             {"report/rmse", F64, {}, Access::Write},
                             {"report/worst", F64, {}, Access::Write}});
  };
  return model;
}

/// `rows` examples of the line without noise, as the text of a csv file.
inline std::string lineCsv(int rows) {
  std::string text = "a,b,y\n";
  for (int i = 0; i < rows; ++i) {
    double a = std::sin(i * 1.7), b = std::cos(i * 0.9);
    text += std::to_string(a) + "," + std::to_string(b) + "," +
            std::to_string(3 * a - 2 * b + 1) + "\n";
  }
  return text;
}

/// Splits of the file line.csv.
inline DataInfo lineData(std::vector<std::pair<std::string, Interval>> splits) {
  DataInfo info{"line",
                {{"x", Element::F32, {2}, 0, "real[2]", "line.nn:1"},
                 {"y", Element::F32, {}, 0, "real", "line.nn:1"}},
                {}};
  for (auto &[name, rows] : splits) {
    CsvSource source;
    source.file = "line.csv";
    source.columns = {{"x", Columns::range(0, 2)}};
    source.rows = rows;
    info.splits.push_back({name, source});
  }
  return info;
}

} // namespace gradus

// The reports of a model over a whole split: partial results of each batch,
// combined in double precision, then finished. Exact, not a mean of batch
// means.
#pragma once

#include "runtime/data/DataReader.h"
#include "runtime/run/Metrics.h"
#include "runtime/run/Variables.h"

#include <memory>

namespace gradus {

/// The compiled functions an evaluation needs, for batches of certain sizes.
struct EvaluationCode {
  std::map<int64_t, CompiledFunction> bySize;
  CompiledFunction finish;
};

/// The sizes of the batches that cover `rows` rows: the full one and, if it is
/// not empty, the last one.
std::vector<int64_t> batchSizes(int64_t rows, int64_t batch);

/// Compiles for these sizes.
EvaluationCode compileEvaluation(const Model &model,
                                 const std::vector<int64_t> &sizes);

class Evaluation {
public:
  /// `model` and `variables` outlive this.
  Evaluation(const Model &model, Variables &variables, EvaluationCode code);

  /// Rows in their order, in batches of at most `batch`; compiles for sizes
  /// that are not there yet.
  ReportValues run(const Dataset &rows, int64_t batch, uint64_t seed);

private:
  BoundFunction &ofSize(int64_t rows);

  const Model &model;
  Variables &variables;
  std::map<int64_t, std::unique_ptr<BoundFunction>> bySize;
  std::unique_ptr<BoundFunction> finish;
};

/// Evaluates the reports on a split, as `test` does. Throws E1012, E1016 if the
/// model has no report, and errors of data.
Metrics evaluateSplit(const Model &model, Variables &variables,
                      DataReader &data, std::string_view split);

/// What `test` prints: a line for each report, or for several splits a table.
std::string reportTable(const std::vector<Metrics> &records);

} // namespace gradus

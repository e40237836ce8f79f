// What the trainer needs to know of a model, as plain data and callbacks that
// compile. The compiler fills it in; nothing here knows how.
//
// Compiled functions name their buffers (BufferInfo::name); the trainer binds
// them by these names. `x` is a path such as `fc1.W`.
//
//   name                  access  in         what
//   param/x               R or U  all        a parameter
//   state/x               R or U  all        a state; U in step only
//   slot/<optimizer>/x.m  U       step       state of an optimizer; that of
//                                            its second use by `x` is
//                                            slot/2.<optimizer>/x.m
//   const/x               R       all        a scalar `const`
//   data/<set>.<f>.mean   R       all        also .std .min .max
//   field/<f>             R       no finish  [batch, ...] of field f
//   t                     R       step       the step: 1, 2, ...
//   epoch                 R       step       1, 2, ...
//   steps                 R       step       steps of the whole run
//   every/<k>             R       step       1 if k divides the step, else 0
//   seed                  R       no finish  the seed, for draws
//   loss                  W       step       mean loss of the batch
//   partial/<report>/<i>  W       evaluate   partial of this batch
//   partial/<report>/<i>  R       finish     that of the whole split
//   rows                  R       finish     rows of the split
//   report/<report>       W       finish     value of the report
//   argument/<name>       R       exported   an argument
//   result/<name>         W       exported   a result
//
// `t epoch steps every/... seed loss rows report/...` are scalars of any
// element type. Partials are F64 of any shape and are combined element by
// element.
#pragma once

#include "runtime/Timing.h"
#include "runtime/data/Schema.h"

#include <functional>

namespace gradus {

/// What a variable holds before the first step.
struct Initial {
  enum Kind : uint8_t {
    /// `a` everywhere.
    Constant,
    /// normal(mean a, standard deviation b).
    Normal,
    /// uniform(a, b).
    Uniform,
    /// 1 with probability a, else 0.
    Bernoulli,
    /// `values`, in row-major order.
    Values
  } kind = Constant;
  double a = 0, b = 0;
  std::vector<double> values = {};
};

/// A value that outlives a step: a parameter, state, slot or constant. Random
/// initial values are drawn at the site siteOf(buffer.name), step 0.
struct Variable {
  /// Name with its space: `param/fc1.W`. Its access is not used.
  BufferInfo buffer;
  Initial initial;
};

/// A statistic of the training split that the model reads.
struct DataStatistic {
  enum Kind : uint8_t { Mean, Std, Min, Max } kind = Mean;
  /// Name `data/housing.x.mean`; shape of the field, any real element.
  BufferInfo buffer;
  std::string field;
};

/// How partial results of batches become one of the split.
enum class Reduction : uint8_t { Sum, Max, Min };

/// `report accuracy = ...`, computed in two parts: each batch gives partials,
/// `finish` makes a number of their totals.
struct Report {
  std::string name;
  /// One for each partial: `partial/<name>/0`, `partial/<name>/1`, ...
  std::vector<Reduction> partials;
};

struct TrainSettings {
  /// Rows of a batch; 0 is `all`.
  int64_t batch = 0;
  /// Whichever comes first ends the run; 0 is not set. One of them is set.
  int64_t epochs = 0, steps = 0;
  uint64_t seed = 0;
  bool shuffle = true;
  /// Report after every so many epochs; 0: after each, but of a run of more
  /// than 100 epochs only about 50 times. The end is always reported.
  int64_t evalEvery = 0;
  /// Write a checkpoint after every so many epochs; 0: after each, but not more
  /// often than once a second. Every 60 s and the end come in addition.
  int64_t checkpointEvery = 0;
};

struct Model {
  /// Stem of the model file: the name of its run folders.
  std::string name;
  /// Of the checked program, saved with weights.
  std::string hash;
  /// The name of the `train` that runs, if the file has several: it tells
  /// apart what they leave in one run folder.
  std::string part;
  std::vector<Variable> variables;
  std::vector<DataStatistic> statistics;
  DataInfo data;
  TrainSettings settings;
  std::vector<Report> reports;

  /// One step on `batch` rows. `evaluate`: the partials of all reports.
  /// `finish`: their values. They are called from one other thread while
  /// functions compiled before run, never from two threads at once.
  std::function<CompiledFunction(int64_t batch)> step, evaluate;
  std::function<CompiledFunction()> finish;

  /// Measures what comes before the first step; null: nothing does.
  std::shared_ptr<Timing> timing = {};
};

} // namespace gradus

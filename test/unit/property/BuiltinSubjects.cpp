// One subject for each builtin that is made of several ops: an expression, of
// the arguments of a function.
#include "test/unit/property/ModelSample.h"

#include <fmt/format.h>

using namespace mlir;

namespace gradus::property {

namespace {
struct Row {
  /// A name for the test, with a number for each form.
  std::string name;
  /// All are real.
  std::string arguments, result, call;
};
} // namespace

static const std::vector<Row> &rows() {
  static const std::vector<Row> all = {
      {"prod", "x: real[7]", "real", "prod(x)"},
      {"prod1", "x: real[3, 5]", "real[5]", "prod(x, axis = 0)"},
      {"prod2", "x: real[2, 3, 2]", "real[3]", "prod(x, axis = (0, 2))"},
      {"prod3", "x: real[1, 3]", "real[3]", "prod(x, axis = 0)"},
      {"cumsum", "x: real[11]", "real[11]", "cumsum(x)"},
      {"cumsum1", "x: real[5, 3]", "real[5, 3]", "cumsum(x, axis = 0)"},
      {"pad", "x: real[3, 2]", "real[3, 5]", "pad(x, -1, 1, 2)"},
      {"pad1", "x: real[3, 2], v: real", "real[6, 2]",
       "pad(x, 0, before = 3, after = 0, value = v)"},
      {"min", "x: real[3, 4]", "real[3]", "min(x, axis = 1)"},
      {"mean", "x: real[3, 4, 2]", "real[4]", "mean(x, axis = (0, 2))"},
      {"clamp", "x: real[5], a: real, b: real", "real[5]", "clamp(x, a, b)"},
      {"solve", "A: real[3, 3], b: real[3]", "real[3]",
       "solve(A + 8 * eye[3], b)"},
      {"solve1", "A: real[2, 2], b: real[2, 3]", "real[2, 3]",
       "solve(A @ A.T + 4 * eye[2], b)"},
      {"cholesky", "A: real[3, 3]", "real[3, 3]",
       "cholesky(A @ A.T + 4 * eye[3])"},
      {"dot", "x: real[2, 3], a: real[2, 3]", "real", "dot(x, a)"},
  };
  return all;
}

std::vector<Subject> builtinSubjects() {
  std::vector<Subject> subjects;
  for (const Row &row : rows())
    subjects.push_back({row.name, [&row](unsigned, FloatType real) {
                          Model model(
                              fmt::format("export fn f({}) -> {} = {}\n",
                                          row.arguments, row.result, row.call));
                          return sampleOf(row.name, model, {}, real);
                        }});
  return subjects;
}

} // namespace gradus::property

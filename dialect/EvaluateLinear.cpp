// What linear ops and reductions compute.
#include "dialect/Einsum.h"
#include "dialect/Formulas.h"

#include <cmath>
#include <stdexcept>

using namespace mlir;

namespace gradus::graph {

//===-- Movement ----------------------------------------------------------===//

/// y[i] = x[source(i)], and 0 where `source` gives no index. `source` changes
/// the index it is given.
static SmallVector<Array>
move(const Array &x, RankedTensorType type,
     llvm::function_ref<bool(SmallVectorImpl<int64_t> &index)> source) {
  Array y(type);
  int64_t next = 0;
  forEachIndex(type.getShape(), [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> from(index);
    int64_t to = next++;
    if (!source(from))
      return;
    int64_t offset = offsetOf(x.shape(), from);
    if (x.isReal())
      y.reals[to] = x.reals[offset];
    else
      y.wholes[to] = x.wholes[offset];
  });
  return {y};
}

/// An index without the axes `dims`.
static SmallVector<int64_t> without(ArrayRef<int64_t> index,
                                    ArrayRef<int64_t> dims) {
  SmallVector<int64_t> kept;
  for (auto [axis, i] : llvm::enumerate(index))
    if (!llvm::is_contained(dims, static_cast<int64_t>(axis)))
      kept.push_back(i);
  return kept;
}

SmallVector<Array> BroadcastOp::evaluate(ArrayRef<Array> x) {
  return move(x[0], getType(), [&](SmallVectorImpl<int64_t> &index) {
    index = without(index, getDims());
    return true;
  });
}

SmallVector<Array> TransposeOp::evaluate(ArrayRef<Array> x) {
  return move(x[0], getType(), [&](SmallVectorImpl<int64_t> &index) {
    SmallVector<int64_t> from(index.size());
    for (auto [i, axis] : llvm::enumerate(getPermutation()))
      from[axis] = index[i];
    index = from;
    return true;
  });
}

SmallVector<Array> ReshapeOp::evaluate(ArrayRef<Array> x) {
  Array y = x[0];
  y.type = getType();
  return {y};
}

SmallVector<Array> SliceOp::evaluate(ArrayRef<Array> x) {
  return move(x[0], getType(), [&](SmallVectorImpl<int64_t> &index) {
    for (auto [i, offset] : llvm::zip_equal(index, getOffsets()))
      i += offset;
    return true;
  });
}

SmallVector<Array> PadOp::evaluate(ArrayRef<Array> x) {
  return move(x[0], getType(), [&](SmallVectorImpl<int64_t> &index) {
    bool inside = true;
    for (auto [i, low, size] : llvm::zip_equal(index, getLow(), x[0].shape())) {
      i -= low;
      inside &= i >= 0 && i < size;
    }
    return inside;
  });
}

SmallVector<Array> ConcatOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  int64_t begin = 0;
  for (const Array &part : x) {
    int64_t next = 0;
    forEachIndex(part.shape(), [&](ArrayRef<int64_t> index) {
      SmallVector<int64_t> to(index);
      to[getDim()] += begin;
      int64_t offset = offsetOf(y.shape(), to), from = next++;
      if (y.isReal())
        y.reals[offset] = part.reals[from];
      else
        y.wholes[offset] = part.wholes[from];
    });
    begin += part.shape()[getDim()];
  }
  return {y};
}

/// How many elements a row has, and the row that `index` means.
static int64_t rowSize(const Array &table) {
  return table.shape().front() ? table.size() / table.shape().front() : 0;
}

static int64_t rowAt(const Array &index, int64_t i, const Array &table) {
  int64_t row = index.wholes[i];
  if (row < 0 || row >= table.shape().front())
    throw std::logic_error("an index lies outside of its table");
  return row;
}

SmallVector<Array> GatherOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  int64_t size = rowSize(x[0]);
  for (int64_t i = 0; i < x[1].size(); ++i) {
    int64_t from = rowAt(x[1], i, x[0]) * size;
    if (y.isReal())
      std::copy_n(x[0].reals.begin() + from, size, y.reals.begin() + i * size);
    else
      std::copy_n(x[0].wholes.begin() + from, size,
                  y.wholes.begin() + i * size);
  }
  return {y};
}

SmallVector<Array> ScatterAddOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  int64_t size = rowSize(y);
  for (int64_t i = 0; i < x[1].size(); ++i) {
    int64_t to = rowAt(x[1], i, y) * size;
    for (int64_t c = 0; c < size; ++c)
      y.reals[to + c] += x[0].reals[i * size + c];
  }
  return {y};
}

//===-- Sums --------------------------------------------------------------===//

SmallVector<Array> SumOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  int64_t next = 0;
  forEachIndex(x[0].shape(), [&](ArrayRef<int64_t> index) {
    y.reals[offsetOf(y.shape(), without(index, getDims()))] +=
        x[0].reals[next++];
  });
  return {y};
}

/// How far one step along `index` goes in a tensor of axes `list`; 0 if it has
/// no such axis.
static int64_t strideOf(char index, const std::string &list,
                        ArrayRef<int64_t> shape) {
  size_t axis = list.find(index);
  if (axis == list.npos)
    return 0;
  int64_t stride = 1;
  for (int64_t size : shape.drop_front(axis + 1))
    stride *= size;
  return stride;
}

SmallVector<Array> EinsumOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  EinsumSpec spec = *parseEinsum(getSpec());
  struct Loop {
    int64_t size, a, b, y;
  };
  SmallVector<Loop> loops;
  auto add = [&](char index, int64_t size) {
    loops.push_back({size, strideOf(index, spec.a, x[0].shape()),
                     strideOf(index, spec.b, x[1].shape()),
                     strideOf(index, spec.y, y.shape())});
  };
  for (auto [index, size] : llvm::zip_equal(spec.y, y.shape()))
    add(index, size);
  for (auto [index, size] : llvm::zip_equal(spec.a, x[0].shape()))
    if (spec.y.find(index) == spec.y.npos)
      add(index, size);

  auto run = [&](auto &self, unsigned depth, int64_t a, int64_t b,
                 int64_t to) -> void {
    if (depth == loops.size()) {
      y.reals[to] += x[0].reals[a] * x[1].reals[b];
      return;
    }
    const Loop &loop = loops[depth];
    for (int64_t i = 0; i < loop.size; ++i)
      self(self, depth + 1, a + i * loop.a, b + i * loop.b, to + i * loop.y);
  };
  run(run, 0, 0, 0, 0);
  return {y};
}

//===-- Reductions --------------------------------------------------------===//

SmallVector<Array> ReduceMaxOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  std::fill(y.reals.begin(), y.reals.end(), -INFINITY);
  int64_t next = 0;
  forEachIndex(x[0].shape(), [&](ArrayRef<int64_t> index) {
    double element = x[0].reals[next++];
    double &best = y.reals[offsetOf(y.shape(), without(index, getDims()))];
    if (std::isnan(element) || element > best)
      best = element;
  });
  return {y};
}

SmallVector<Array> WholeReduceOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  auto element = cast<IntegerType>(y.type.getElementType());
  std::vector<bool> isStarted(y.size());
  llvm::fill(y.wholes, getFormula() == Arithmetic::mul ? 1 : 0);
  int64_t next = 0;
  forEachIndex(x[0].shape(), [&](ArrayRef<int64_t> index) {
    int64_t to = offsetOf(y.shape(), without(index, getDims()));
    int64_t one = x[0].wholes[next++];
    y.wholes[to] =
        isStarted[to] ? compute(getFormula(), y.wholes[to], one, element) : one;
    isStarted[to] = true;
  });
  return {y};
}

SmallVector<Array> ArgmaxOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  auto dim = static_cast<int64_t>(getDim());
  std::vector<double> best(y.size(), -INFINITY);
  int64_t next = 0;
  forEachIndex(x[0].shape(), [&](ArrayRef<int64_t> index) {
    double element = x[0].reals[next++];
    int64_t to = offsetOf(y.shape(), without(index, dim));
    // The first NaN counts as the largest.
    if (std::isnan(best[to]) || !(std::isnan(element) || element > best[to]))
      return;
    best[to] = element;
    y.wholes[to] = index[dim];
  });
  return {y};
}

} // namespace gradus::graph

// See MatrixRecipes.h. Random matrices get a diagonal that outweighs the rest:
// far from singular, and definite.
#include "test/unit/property/MatrixRecipes.h"

#include "dialect/Duals.h"

#include <fmt/format.h>

using namespace mlir;

namespace gradus::property {

/// `count` new matrices of n x n with a heavy diagonal.
static Value wellConditioned(Draft &draft, Shape leading, int64_t n,
                             bool isSymmetric) {
  OpBuilder &builder = draft.builder;
  Shape shape = leading;
  shape.append({n, n});
  Value a = draft.real(shape, Numbers{-1, 1, {-1, -0.0, 0, 1}});
  if (isSymmetric)
    a = graph::AddOp::create(
        builder, draft.location, a,
        graph::TransposeOp::create(builder, draft.location, a,
                                   graph::swapLastAxes(builder, a)));
  auto type = RankedTensorType::get({n, n}, draft.realType);
  SmallVector<Attribute> weights;
  for (int64_t i = 0; i < n * n; ++i)
    weights.push_back(builder.getFloatAttr(
        draft.realType, i % (n + 1) == 0 ? 2.5 * static_cast<double>(n) : 0));
  Value diagonal = graph::ConstantOp::create(
      builder, draft.location, type, DenseElementsAttr::get(type, weights));
  diagonal = graph::BroadcastOp::create(
      builder, draft.location, diagonal,
      llvm::to_vector(llvm::seq<int64_t>(0, leading.size())), leading);
  return graph::AddOp::create(builder, draft.location, a, diagonal);
}

Sample solveSample(Draft &draft) {
  Shape leading;
  if (draft.draw(0, 1))
    leading.push_back(draft.draw(1, 3));
  int64_t n = draft.draw(1, 4), columns = draft.draw(1, 3);
  Value a = wellConditioned(draft, leading, n, draft.number % 2 == 1);
  leading.append({n, columns});
  Value b = draft.real(leading);
  Value x = graph::SolveOp::create(draft.builder, draft.location, a, b);
  return draft.finish(
      x, fmt::format("solve of {} rows for {}", n, shapeText(leading)));
}

Sample choleskySample(Draft &draft) {
  Shape leading;
  if (draft.draw(0, 1))
    leading.push_back(draft.draw(1, 3));
  int64_t n = draft.draw(1, 4);
  Value a = wellConditioned(draft, leading, n, false);
  Value l = graph::CholeskyOp::create(draft.builder, draft.location, a);
  return draft.finish(l, fmt::format("cholesky of {} rows, {} leading axes", n,
                                     leading.size()));
}

} // namespace gradus::property

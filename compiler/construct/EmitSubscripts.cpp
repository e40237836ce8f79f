// Numbers taken out of a tensor at indices. Axis by axis: a position that is
// known and an index that runs along the axis are slices, sums of two indices
// windows; everything else gathers rows.
#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/Emitter.h"
#include "dialect/Graph.h"

using namespace mlir;

namespace gradus::construct {

/// A subscript with numbers for its dims.
struct Emitter::Position {
  int64_t constant = 0;
  SmallVector<std::pair<const typed::Local *, int64_t>, 2> terms;
  /// Instead: a value that may depend on indices.
  std::optional<Lanes> value;

  bool has(const typed::Local *index) const {
    return llvm::any_of(
               terms, [&](const auto &term) { return term.first == index; }) ||
           (value && value->has(index));
  }
};

/// A tensor that becomes lanes axis by axis. Axes that are done have the index
/// they run along.
struct Emitter::Taking {
  Value x;
  SmallVector<std::optional<Position>> positions;
  Indices indices;

  ArrayRef<int64_t> shape() const {
    return cast<RankedTensorType>(x.getType()).getShape();
  }

  /// Whether a position is made of indices that stand in no other.
  bool isAlone(const Position &position) const {
    return !position.value && !position.terms.empty() &&
           llvm::all_of(position.terms, [&](const auto &term) {
             return llvm::count_if(positions, [&](const auto &other) {
                      return other && other->has(term.first);
                    }) == 1;
           });
  }
};

Lanes Emitter::lanesAt(const typed::At &node, const Expr &expr, Frame &frame) {
  Taking taking = {emit(*node.operand, frame), {}, {}};
  // Positions that loops count; from the last axis on, so that others stay.
  SmallVector<const typed::At::Subscript *> subscripts;
  for (size_t axis = node.subscripts.size(); axis-- > 0;) {
    const typed::At::Subscript &subscript = node.subscripts[axis];
    if (!subscript.value && isRolled(subscript.position.constant))
      taking.x = takeInRound(taking.x, static_cast<int64_t>(axis),
                             subscript.position.constant, frame);
    else
      subscripts.insert(subscripts.begin(), &subscript);
  }
  for (auto [axis, pointer] : llvm::enumerate(subscripts)) {
    const typed::At::Subscript &subscript = *pointer;
    Position position;
    if (subscript.value) {
      position.value = lanes(*subscript.value, frame);
    } else {
      int64_t least = subscript.position.constant.evaluate(frame.dims);
      int64_t most = least;
      position.constant = least;
      for (auto &[index, coefficient] : subscript.position.terms) {
        int64_t factor = coefficient.evaluate(frame.dims);
        int64_t reach = factor * (sizeOf(index) - 1);
        (reach < 0 ? least : most) += reach;
        if (factor != 0)
          position.terms.emplace_back(index, factor);
      }
      if (least < 0 || most >= taking.shape()[axis]) {
        model.diagnostics.report(diag::IndexPastEnd, expr.range,
                                 node.operand->type.str());
        throw Refused();
      }
    }
    taking.positions.push_back(std::move(position));
    taking.indices.push_back(nullptr);
  }

  // Known positions, and indices that run along an axis of their own.
  SmallVector<int64_t> offsets, sizes, shape;
  Taking cut;
  for (auto [position, size] :
       llvm::zip_equal(taking.positions, taking.shape())) {
    bool isRun = taking.isAlone(*position) && position->terms.size() == 1 &&
                 position->terms.front().second == 1;
    bool isKnown = !position->value && position->terms.empty();
    offsets.push_back(isRun || isKnown ? position->constant : 0);
    sizes.push_back(isRun     ? sizeOf(position->terms.front().first)
                    : isKnown ? 1
                              : size);
    if (isKnown)
      continue;
    shape.push_back(sizes.back());
    cut.indices.push_back(isRun ? position->terms.front().first : nullptr);
    cut.positions.push_back(isRun ? std::nullopt : position);
  }
  cut.x = taking.x;
  if (ArrayRef(sizes) != taking.shape())
    cut.x = graph::SliceOp::create(builder, location, cut.x, offsets, sizes);
  if (shape.size() != sizes.size())
    cut.x = graph::ReshapeOp::create(builder, location, cut.x, shape);
  taking = std::move(cut);

  takeWindows(taking);

  // Everything else: rows. An axis whose index also decides on the row is part
  // of it.
  Indices deciding;
  for (const auto &position : taking.positions)
    if (position) {
      for (const auto &[index, factor] : position->terms)
        deciding.push_back(index);
      if (position->value)
        llvm::append_range(deciding, position->value->indices);
    }
  SmallVector<int64_t> axes;
  SmallVector<Lanes> rows;
  Indices others;
  for (auto [axis, position, index] :
       llvm::enumerate(taking.positions, taking.indices)) {
    if (!position && !llvm::is_contained(deciding, index)) {
      others.push_back(index);
      continue;
    }
    axes.push_back(axis);
    rows.push_back(position ? lanesOf(*position, expr)
                            : lanesOf(Position{0, {{index, 1}}, {}}, expr));
  }
  if (axes.empty())
    return {taking.x, taking.indices};
  Indices indices = unite(rows);
  SmallVector<Value> numbers;
  for (const Lanes &row : rows)
    numbers.push_back(align(row, indices));
  Value y = gatherRows(taking.x, axes, numbers, expr);
  Lanes result = {y, indices};
  result.indices.append(others);
  // Which axis of the result each axis of the table follows.
  SmallVector<int64_t> follows;
  for (int64_t axis : axes) {
    const auto &position = taking.positions[axis];
    const typed::Local *index = !position ? taking.indices[axis]
                                : position->terms.size() == 1
                                    ? position->terms.front().first
                                    : nullptr;
    bool isWhole = index && sizeOf(index) == taking.shape()[axis] &&
                   (!position || (position->terms.front().second == 1 &&
                                  position->constant == 0));
    follows.push_back(isWhole ? result.axisOf(index) : -1);
  }
  for (const typed::Local *index : others)
    follows.push_back(result.axisOf(index));
  if (axes.size() > 1)
    y.getDefiningOp()->setAttr(followsAttrName,
                               builder.getDenseI64ArrayAttr(follows));
  return result;
}

/// `x[2 * i + u]` and the like, of indices that stand nowhere else: windows.
/// The shorter index is the tap.
void Emitter::takeWindows(Taking &taking) {
  SmallVector<int64_t> offsets(taking.indices.size(), 0), sizes(taking.shape()),
      dims, taps, strides, dilations;
  Indices tapIndices;
  for (size_t axis = 0; axis < taking.indices.size(); ++axis) {
    const auto &position = taking.positions[axis];
    if (!position || !taking.isAlone(*position))
      continue;
    std::pair<const typed::Local *, int64_t> along = position->terms[0],
                                             across = {nullptr, 1};
    if (position->terms.size() == 2) {
      across = position->terms[1];
      if (along.second < 0 ||
          (across.second > 0 && sizeOf(across.first) > sizeOf(along.first)))
        std::swap(along, across);
    } else if (along.second < 0) {
      std::swap(along, across);
    }
    if (position->terms.size() > 2 || along.second < 0)
      continue;
    auto steps = [&](const typed::Local *index) {
      return index ? sizeOf(index) - 1 : 0;
    };
    int64_t span = std::abs(across.second) * steps(across.first);
    offsets[axis] = position->constant - (across.second < 0 ? span : 0);
    sizes[axis] = along.second * steps(along.first) + span + 1;
    dims.push_back(axis);
    taps.push_back(steps(across.first) + 1);
    strides.push_back(along.second);
    dilations.push_back(across.second);
    taking.indices[axis] = along.first;
    taking.positions[axis].reset();
    tapIndices.push_back(across.first);
  }
  if (dims.empty())
    return;
  if (ArrayRef(sizes) != taking.shape())
    taking.x =
        graph::SliceOp::create(builder, location, taking.x, offsets, sizes);
  taking.x = graph::UnfoldOp::create(builder, location, taking.x, dims, taps,
                                     strides, dilations);
  taking.indices.append(tapIndices);
  taking.positions.resize(taking.indices.size());
  // Axes of no index are of size 1.
  Taking kept;
  SmallVector<int64_t> shape;
  for (auto [position, index, size] :
       llvm::zip_equal(taking.positions, taking.indices, taking.shape()))
    if (position || index) {
      kept.positions.push_back(position);
      kept.indices.push_back(index);
      shape.push_back(size);
    }
  kept.x = taking.x;
  if (shape.size() != taking.indices.size())
    kept.x = graph::ReshapeOp::create(builder, location, kept.x, shape);
  taking = std::move(kept);
}

Lanes Emitter::lanesOf(const Position &position, const Expr &expr) {
  if (position.value)
    return *position.value;
  auto scalar = RankedTensorType::get({}, builder.getF64Type());
  Lanes start = {constant(scalar, position.constant), {}}, sum;
  for (auto [index, factor] : position.terms) {
    Lanes term = {graph::IotaOp::create(builder, location, sizeOf(index),
                                        builder.getF64Type()),
                  {index}};
    if (factor != 1)
      term = combine(typed::Builtin::Mul,
                     {term, {constant(scalar, factor), {}}}, expr);
    sum = sum.value ? combine(typed::Builtin::Add, {sum, term}, expr) : term;
  }
  if (!sum.value)
    return start;
  return position.constant ? combine(typed::Builtin::Add, {sum, start}, expr)
                           : sum;
}

/// Takes the axes `axes` of x at `positions`, whole numbers of one shape; that
/// shape comes first in the result. Several axes are taken as one: their
/// numbers stay exact in f64.
Value Emitter::gatherRows(Value x, ArrayRef<int64_t> axes,
                          ArrayRef<Value> positions, const Expr &expr) {
  auto type = cast<RankedTensorType>(x.getType());
  auto to = [&](Value x, Type element) -> Value {
    if (getElementTypeOrSelf(x) == element)
      return x;
    return graph::ConvertOp::create(builder, location, x, element);
  };
  SmallVector<int64_t> order(axes), shape{1};
  Value row;
  for (auto [axis, position] : llvm::zip_equal(axes, positions)) {
    shape[0] *= type.getDimSize(axis);
    if (!row) {
      row = position;
      continue;
    }
    row = to(row, builder.getF64Type());
    row = graph::MulOp::create(builder, location, row,
                               number(row, type.getDimSize(axis)));
    row = graph::AddOp::create(builder, location, row,
                               to(position, builder.getF64Type()));
  }
  if (shape[0] > std::numeric_limits<int32_t>::max())
    refuse(expr.range, "taking numbers out of so large a table is");
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (!llvm::is_contained(axes, axis)) {
      order.push_back(axis);
      shape.push_back(type.getDimSize(axis));
    }
  if (!llvm::is_sorted(order))
    x = graph::TransposeOp::create(builder, location, x, order);
  if (axes.size() > 1)
    x = graph::ReshapeOp::create(builder, location, x, shape);
  return graph::GatherOp::create(builder, location, x,
                                 to(row, builder.getI32Type()));
}

Value Emitter::visit(const typed::Gather &node, const Expr &expr,
                     Frame &frame) {
  Value x = emit(*node.operand, frame);
  SmallVector<Value> positions;
  for (const Expr *index : node.indices)
    positions.push_back(emit(*index, frame));
  const typed::Shape &shape = node.operand->type.shape;
  SmallVector<int64_t> axes;
  for (unsigned entry : node.entries)
    axes.push_back(axesOf(shape, entry, frame.dims).first);
  location = locate(expr.range);
  Value y = gatherRows(x, axes, positions, expr);
  // The axes before the first one that is taken.
  int64_t before = axes.front();
  auto shapeOf = [](Value x) {
    return cast<RankedTensorType>(x.getType()).getShape();
  };
  int64_t taken = shapeOf(positions.front()).size();
  if (before == 0 || taken == 0)
    return y;
  SmallVector<int64_t> order;
  llvm::append_range(order, llvm::seq(taken, taken + before));
  llvm::append_range(order, llvm::seq<int64_t>(0, taken));
  llvm::append_range(order,
                     llvm::seq<int64_t>(taken + before, shapeOf(y).size()));
  return graph::TransposeOp::create(builder, location, y, order);
}

} // namespace gradus::construct

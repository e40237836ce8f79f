// What is computed element by element from tensors one after another is
// computed from each of them, if it ends in a sum or in slices that are these
// tensors: a penalty on `net.params`, and its derivative, never copies the
// parameters into one vector, and has the same kernels for each of many equal
// layers. One pass in program order.
#include "compiler/fuse/CheaperForms.h"

#include "dialect/Duals.h"
#include "dialect/Graph.h"

using namespace mlir;

namespace gradus::fuse {
namespace {

/// How a value falls into parts along an axis: as some concat puts them.
struct Partition {
  int64_t axis;
  SmallVector<int64_t> sizes;

  bool operator==(const Partition &) const = default;
};

RankedTensorType typeOf(Value x) { return cast<RankedTensorType>(x.getType()); }

/// A number that is the same in every element.
bool isUniform(Value x) {
  if (auto broadcast = x.getDefiningOp<graph::BroadcastOp>())
    return typeOf(broadcast.getX()).getRank() == 0;
  auto constant = x.getDefiningOp<graph::ConstantOp>();
  return constant && isa<SplatElementsAttr>(constant.getValue());
}

class Splitting {
public:
  void run(Block &body);

private:
  std::optional<Partition> partitionOf(Operation &op);
  Value part(Value x, const Partition &partition, size_t index,
             OpBuilder &builder);
  void sum(graph::SumOp op);
  void slice(graph::SliceOp op);

  DenseMap<Value, Partition> partitions;
  /// Parts that have been computed.
  DenseMap<std::pair<Value, size_t>, Value> parts;
};

} // namespace

std::optional<Partition> Splitting::partitionOf(Operation &op) {
  if (auto concat = dyn_cast<graph::ConcatOp>(op)) {
    Partition partition = {static_cast<int64_t>(concat.getDim()), {}};
    for (Value operand : concat.getOperands())
      partition.sizes.push_back(typeOf(operand).getDimSize(partition.axis));
    return partition;
  }
  if (!op.hasTrait<OpTrait::Elementwise>() || op.getNumResults() != 1)
    return std::nullopt;
  std::optional<Partition> result;
  for (Value operand : op.getOperands()) {
    auto known = partitions.find(operand);
    if (known == partitions.end()) {
      if (!isUniform(operand))
        return std::nullopt;
    } else if (result && !(*result == known->second)) {
      return std::nullopt;
    } else {
      result = known->second;
    }
  }
  return result;
}

/// Part `index` of a value that has this partition or is uniform.
Value Splitting::part(Value x, const Partition &partition, size_t index,
                      OpBuilder &builder) {
  Operation *op = x.getDefiningOp();
  if (auto concat = dyn_cast<graph::ConcatOp>(op))
    return concat.getOperands()[index];
  if (Value known = parts.lookup({x, index}))
    return known;
  auto shape = llvm::to_vector(typeOf(x).getShape());
  shape[partition.axis] = partition.sizes[index];
  auto type = typeOf(x).clone(shape);
  Value result;
  if (auto constant = dyn_cast<graph::ConstantOp>(op)) {
    result = graph::ConstantOp::create(
        builder, op->getLoc(),
        cast<SplatElementsAttr>(constant.getValue()).resizeSplat(type));
  } else if (auto broadcast = dyn_cast<graph::BroadcastOp>(op)) {
    result = graph::BroadcastOp::create(
        builder, op->getLoc(), broadcast.getX(),
        llvm::to_vector(llvm::seq<int64_t>(0, shape.size())), shape);
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(part(operand, partition, index, builder));
    Operation *clone = builder.clone(*op);
    clone->setOperands(operands);
    clone->getResult(0).setType(type);
    result = clone->getResult(0);
  }
  // Uniform values have parts of any size: the partition is not known by them.
  if (partitions.contains(x))
    parts[{x, index}] = result;
  return result;
}

/// The sum over all parts, one after another.
void Splitting::sum(graph::SumOp op) {
  auto known = partitions.find(op.getX());
  if (known == partitions.end() ||
      !llvm::is_contained(op.getDims(), known->second.axis))
    return;
  Partition partition = known->second;
  OpBuilder builder(op);
  Value total;
  for (size_t i = 0; i < partition.sizes.size(); ++i) {
    Value one = graph::SumOp::create(builder, op.getLoc(),
                                     part(op.getX(), partition, i, builder),
                                     op.getDims());
    total =
        total
            ? graph::AddOp::create(builder, op.getLoc(), total, one).getResult()
            : one;
  }
  op.replaceAllUsesWith(total);
  op.erase();
}

/// A slice that is one of the parts.
void Splitting::slice(graph::SliceOp op) {
  auto known = partitions.find(op.getX());
  if (known == partitions.end())
    return;
  Partition partition = known->second;
  ArrayRef<int64_t> shape = typeOf(op.getX()).getShape();
  int64_t begin = 0;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (static_cast<int64_t>(axis) == partition.axis)
      begin = op.getOffsets()[axis];
    else if (typeOf(op.getY()).getDimSize(axis) != size)
      return;
  }
  int64_t offset = 0;
  for (auto [i, size] : llvm::enumerate(partition.sizes)) {
    if (offset == begin &&
        typeOf(op.getY()).getDimSize(partition.axis) == size) {
      OpBuilder builder(op);
      op.replaceAllUsesWith(part(op.getX(), partition, i, builder));
      op.erase();
      return;
    }
    offset += size;
  }
}

void Splitting::run(Block &body) {
  for (Operation &op : llvm::make_early_inc_range(body)) {
    if (auto partition = partitionOf(op))
      partitions.insert({op.getResult(0), std::move(*partition)});
    else if (auto total = dyn_cast<graph::SumOp>(op))
      sum(total);
    else if (auto piece = dyn_cast<graph::SliceOp>(op))
      slice(piece);
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

void splitConcats(Block &body) { Splitting().run(body); }

} // namespace gradus::fuse

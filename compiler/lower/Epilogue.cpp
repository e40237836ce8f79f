// See Epilogue.h.
#include "compiler/lower/Epilogue.h"

#include "compiler/lower/RowAxes.h"

namespace gradus::lower {
using namespace mlir;

std::optional<Nest> alignEpilogue(OpBuilder &builder, linalg::LinalgOp op,
                                  const Nest &nest, linalg::LinalgOp epilogue) {
  OpOperand *link = nullptr;
  for (OpOperand *input : epilogue.getDpsInputOperands())
    if (input->get() == op.getDpsInitOperand(0)->get())
      link = input;
  if (!link)
    return std::nullopt;
  for (OpOperand *input : epilogue.getDpsInputOperands())
    if (input->get() == link->get() &&
        epilogue.getMatchingIndexingMap(input) !=
            epilogue.getMatchingIndexingMap(link))
      return std::nullopt;
  AffineMap to = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  AffineMap from = epilogue.getMatchingIndexingMap(link);
  if (!to.isProjectedPermutation() || !from.isPermutation())
    return std::nullopt;
  // Loop of the epilogue -> loop of the contraction.
  SmallVector<unsigned> partner(epilogue.getNumLoops());
  for (unsigned i = 0; i < from.getNumResults(); ++i)
    partner[from.getDimPosition(i)] = to.getDimPosition(i);

  std::optional<Nest> own = nestOf(builder, epilogue);
  if (!own)
    return std::nullopt;
  SmallVector<int64_t> old = own->loopOf;
  for (Access &access : own->accesses) {
    SmallVector<int64_t> strides(nest.loops(), 0);
    for (unsigned loop = 0; loop < old.size(); ++loop)
      if (!access.strides.empty() && old[loop] >= 0)
        strides[nest.loopOf[partner[loop]]] = access.strides[old[loop]];
    access.strides = std::move(strides);
  }
  for (unsigned loop = 0; loop < old.size(); ++loop)
    own->loopOf[loop] = nest.loopOf[partner[loop]];
  own->sizes = nest.sizes;
  own->reduces = nest.reduces;
  return own;
}

bool writes(const Nest &nest, const Access &input) {
  return input.flat &&
         llvm::any_of(llvm::drop_begin(nest.accesses, nest.inputs),
                      [&](const Access &result) {
                        return baseOf(result.flat) == baseOf(input.flat);
                      });
}

bool updatesInPlace(const Nest &nest) {
  return llvm::any_of(ArrayRef(nest.accesses).take_front(nest.inputs),
                      [&](const Access &input) { return writes(nest, input); });
}

} // namespace gradus::lower

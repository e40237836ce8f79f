// memref.copy -> linalg.generic that yields its input: loops like all others.
#include "compiler/lower/Passes.h"

namespace gradus::lower {
#define GEN_PASS_DEF_COPIESTOLINALG
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

struct CopiesToLinalgPass : impl::CopiesToLinalgBase<CopiesToLinalgPass> {
  void runOnOperation() override {
    getOperation().walk([](memref::CopyOp copy) {
      OpBuilder builder(copy);
      int64_t rank = copy.getTarget().getType().getRank();
      AffineMap map = builder.getMultiDimIdentityMap(rank);
      if (copy.getSource() != copy.getTarget())
        linalg::GenericOp::create(
            builder, copy.getLoc(), ValueRange(copy.getSource()),
            ValueRange(copy.getTarget()), ArrayRef<AffineMap>{map, map},
            SmallVector<utils::IteratorType>(rank,
                                             utils::IteratorType::parallel),
            [](OpBuilder &inside, Location loc, ValueRange scalars) {
              linalg::YieldOp::create(inside, loc, scalars[0]);
            });
      copy.erase();
    });
  }
};

} // namespace
} // namespace gradus::lower

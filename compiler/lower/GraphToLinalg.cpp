// The conversion graph -> linalg on tensors. Takes a function of graph ops
// whose derivatives are taken, gives the same function on linalg, arith, math
// and tensor ops. The patterns live with their families.
#include "compiler/lower/GraphToLinalg.h"
#include "compiler/lower/Passes.h"

#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace gradus::lower {
#define GEN_PASS_DEF_GRAPHTOLINALG
#include "compiler/lower/Passes.h.inc"

StorageTypes::StorageTypes() {
  addConversion([](Type type) { return type; });
  addConversion([](RankedTensorType type) -> Type {
    Type element = type.getElementType();
    if (element.isInteger(1) || element.isUnsignedInteger(8))
      return type.clone(IntegerType::get(type.getContext(), 8));
    return type;
  });
}

/// The constant that a splat operand holds everywhere, if it is one.
static TypedAttr splatElement(Value operand) {
  SplatElementsAttr splat;
  if (matchPattern(operand, m_Constant(&splat)))
    return cast<TypedAttr>(splat.getSplatValue<Attribute>());
  return {};
}

Value mapElements(OpBuilder &builder, Location loc, RankedTensorType type,
                  ValueRange operands, ArrayRef<AffineMap> maps, Body body) {
  SmallVector<Value> inputs;
  SmallVector<AffineMap> inputMaps;
  SmallVector<TypedAttr> splats;
  for (auto [operand, map] : llvm::zip_equal(operands, maps)) {
    splats.push_back(splatElement(operand));
    if (splats.back())
      continue;
    inputs.push_back(operand);
    inputMaps.push_back(map);
  }
  inputMaps.push_back(builder.getMultiDimIdentityMap(type.getRank()));
  Value out = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                      type.getElementType());
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, type, inputs, out, inputMaps, loops,
             [&](OpBuilder &inner, Location, ValueRange arguments) {
               SmallVector<Value> scalars;
               auto argument = arguments.begin();
               for (TypedAttr splat : splats)
                 scalars.push_back(
                     splat ? arith::ConstantOp::create(inner, loc, splat)
                           : *argument++);
               linalg::YieldOp::create(inner, loc, body(inner, loc, scalars));
             })
      .getResult(0);
}

Value filled(OpBuilder &builder, Location loc, RankedTensorType type,
             TypedAttr value) {
  Value scalar = arith::ConstantOp::create(builder, loc, value);
  Value out = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                      type.getElementType());
  return linalg::FillOp::create(builder, loc, scalar, out).getResult(0);
}

AffineMap dropAxes(MLIRContext *context, int64_t rank, ArrayRef<int64_t> dims) {
  SmallVector<AffineExpr> kept;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!llvm::is_contained(dims, axis))
      kept.push_back(getAffineDimExpr(axis, context));
  return AffineMap::get(rank, 0, kept, context);
}

namespace {

class GraphToLinalg : public impl::GraphToLinalgBase<GraphToLinalg> {
  void runOnOperation() override {
    StorageTypes types;
    RewritePatternSet patterns(&getContext());
    populatePointwisePatterns(types, patterns);
    populateMovementPatterns(types, patterns);
    populateWindowPatterns(types, patterns);
    populateReductionPatterns(types, patterns);
    populateContractionPatterns(types, patterns);
    populateGatheringPatterns(types, patterns);
    populateNativeCallPatterns(types, patterns);
    populateDrawingPatterns(types, patterns);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   types);
    populateReturnOpTypeConversionPattern(patterns, types);
    populateCallOpTypeConversionPattern(patterns, types);

    ConversionTarget target(getContext());
    target.addIllegalDialect<graph::GraphDialect>();
    target.addLegalDialect<
        arith::ArithDialect, bufferization::BufferizationDialect,
        linalg::LinalgDialect, math::MathDialect, memref::MemRefDialect,
        scf::SCFDialect, tensor::TensorDialect>();
    target.addLegalOp<graph::NativeCallOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp function) {
      return types.isSignatureLegal(function.getFunctionType()) &&
             types.isLegal(&function.getBody());
    });
    target.addDynamicallyLegalOp<func::CallOp, func::ReturnOp>(
        [&](Operation *op) { return types.isLegal(op); });
    if (failed(
            applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace gradus::lower

// Ops that no loops of ours compute: solve and cholesky become calls of the
// runtime's functions (runtime/Matrices.h) on buffers, extern one of the
// user's, and such a call at the end one of the LLVM dialect with the addresses
// of these buffers.
#include "compiler/lower/NativeCalls.h"

#include "compiler/lower/GraphToLinalg.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace gradus::lower {
namespace {

/// A call that is being written: buffers in the order of the parameters.
class Call {
public:
  Call(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  /// A dense buffer with the elements of `tensor`, which is only read.
  void takes(Value tensor) {
    buffers.push_back(bufferization::ToBufferOp::create(
        builder, loc, bufferOf(cast<RankedTensorType>(tensor.getType())),
        tensor, /*read_only=*/true));
  }

  /// A new buffer; place to work in, or what the call gives.
  Value room(RankedTensorType type) {
    buffers.push_back(memref::AllocOp::create(builder, loc, bufferOf(type)));
    return buffers.back();
  }

  /// The name has an f at its end for functions of f32, as in the C library.
  void finish(StringRef name, Type element, ArrayRef<int64_t> sizes) {
    finish(name.str() + (element.isF32() ? "f" : ""), sizes);
  }
  void finish(const std::string &callee, ArrayRef<int64_t> sizes) {
    graph::NativeCallOp::create(builder, loc, callee, buffers, sizes);
  }

  /// What the call has written into `buffer`.
  Value given(Value buffer, RankedTensorType type) {
    return bufferization::ToTensorOp::create(builder, loc, type, buffer,
                                             /*restrict=*/true);
  }

private:
  static MemRefType bufferOf(RankedTensorType type) {
    return MemRefType::get(type.getShape(), type.getElementType());
  }

  OpBuilder &builder;
  Location loc;
  SmallVector<Value> buffers;
};

/// How many matrices of n x n a tensor holds.
int64_t countOf(RankedTensorType a) {
  return a.getNumElements() / (a.getShape().back() * a.getShape().back());
}

struct SolveCalls : OpConversionPattern<graph::SolveOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::SolveOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto a = cast<RankedTensorType>(op.getA().getType());
    auto type = cast<RankedTensorType>(op.getType());
    int64_t n = a.getShape().back();
    Call call(rewriter, op.getLoc());
    call.takes(operands.getA());
    call.takes(operands.getB());
    Value x = call.room(type);
    call.room(a.clone(ArrayRef<int64_t>{n, n}));
    call.finish("gradusSolve", a.getElementType(),
                {countOf(a), n, type.getShape().back()});
    rewriter.replaceOp(op, call.given(x, type));
    return success();
  }
};

struct CholeskyCalls : OpConversionPattern<graph::CholeskyOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::CholeskyOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    Call call(rewriter, op.getLoc());
    call.takes(operands.getA());
    Value l = call.room(type);
    call.finish("gradusCholesky", type.getElementType(),
                {countOf(type), type.getShape().back()});
    rewriter.replaceOp(op, call.given(l, type));
    return success();
  }
};

struct ExternCalls : OpConversionPattern<graph::ExternOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::ExternOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    Call call(rewriter, op.getLoc());
    for (Value operand : operands.getOperands())
      call.takes(operand);
    Value y = call.room(type);
    call.finish(op.getCallee(), op.getSizes());
    rewriter.replaceOp(op, call.given(y, type));
    return success();
  }
};

/// A call of the C function with addresses and numbers.
struct CallsByAddress : ConvertOpToLLVMPattern<graph::NativeCallOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(graph::NativeCallOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> arguments;
    for (auto [buffer, descriptor] :
         llvm::zip_equal(op.getBuffers(), operands.getBuffers()))
      arguments.push_back(MemRefDescriptor(descriptor)
                              .bufferPtr(rewriter, loc, *getTypeConverter(),
                                         cast<MemRefType>(buffer.getType())));
    for (int64_t size : op.getSizes())
      arguments.push_back(LLVM::ConstantOp::create(
          rewriter, loc, rewriter.getI64IntegerAttr(size)));
    FailureOr<LLVM::LLVMFuncOp> callee = LLVM::lookupOrCreateFn(
        rewriter, op->getParentOfType<ModuleOp>(), op.getCallee(),
        llvm::map_to_vector(arguments, [](Value x) { return x.getType(); }),
        LLVM::LLVMVoidType::get(op.getContext()));
    if (failed(callee))
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(op, *callee, arguments);
    return success();
  }
};

} // namespace

void populateNativeCallPatterns(const StorageTypes &types,
                                RewritePatternSet &patterns) {
  patterns.add<SolveCalls, CholeskyCalls, ExternCalls>(types,
                                                       patterns.getContext());
}

void populateNativeCallToLLVMPatterns(const LLVMTypeConverter &types,
                                      RewritePatternSet &patterns) {
  patterns.add<CallsByAddress>(types);
}

} // namespace gradus::lower

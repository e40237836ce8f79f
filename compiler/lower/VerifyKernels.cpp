// Lowered kernels -> the same, or an error at the source line of whatever needs
// more than the processor: casts left over, other dialects, calls of functions
// that compiled code does not have (above all malloc).
#include "compiler/lower/Passes.h"
#include "compiler/native/Symbols.h"

namespace gradus::lower {
#define GEN_PASS_DEF_VERIFYKERNELS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

struct VerifyKernelsPass : impl::VerifyKernelsBase<VerifyKernelsPass> {
  void runOnOperation() override {
    bool failure = false;
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      function.walk(
          [&](Operation *op) { failure |= failed(verifyOp(function, op)); });
    for (Operation &op : *getOperation().getBody())
      if (!isa<LLVM::LLVMDialect>(op.getDialect()) && !isa<ModuleOp>(op)) {
        op.emitError("'") << op.getName() << "' was not lowered";
        failure = true;
      }
    if (failure)
      signalPassFailure();
  }

  LogicalResult verifyOp(LLVM::LLVMFuncOp function, Operation *op) {
    StringRef kernel = function.getName();
    kernel.consume_back(".body");
    if (isa<UnrealizedConversionCastOp>(op) ||
        !isa<LLVM::LLVMDialect>(op->getDialect()))
      return op->emitError("kernel '")
             << kernel << "': '" << op->getName() << "' was not lowered";
    if (isa<LLVM::FMulAddOp>(op))
      return op->emitError("kernel '")
             << kernel << "' leaves it to LLVM whether a product is rounded";
    auto call = dyn_cast<LLVM::CallOp>(op);
    if (!call)
      return success();
    std::optional<StringRef> callee = call.getCallee();
    if (!callee)
      return op->emitError("kernel '") << kernel << "' calls through a pointer";
    if (auto target = SymbolTable::lookupNearestSymbolFrom<LLVM::LLVMFuncOp>(
            op, call.getCalleeAttr());
        target && !target.isExternal())
      return success();
    if (*callee == "malloc" || *callee == "aligned_alloc" || *callee == "free")
      return op->emitError("kernel '")
             << kernel << "' allocates memory: it calls '" << *callee << "'";
    if (!native::isKnownSymbol(*callee) && !native::isOfLibrary(*callee))
      return op->emitError("kernel '")
             << kernel << "' calls '" << *callee
             << "', which compiled code does not have";
    return success();
  }
};

} // namespace
} // namespace gradus::lower

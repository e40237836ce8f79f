// Kernel in LLVM dialect, one pointer per buffer -> the same as a private body,
// and an entry point that takes all pointers as one array.
#include "compiler/lower/Passes.h"

namespace gradus::lower {
#define GEN_PASS_DEF_ENTRYPOINTS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

struct EntryPointsPass : impl::EntryPointsBase<EntryPointsPass> {
  void runOnOperation() override {
    SmallVector<LLVM::LLVMFuncOp> kernels;
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (!function.isExternal() && function.isPublic())
        kernels.push_back(function);
    for (LLVM::LLVMFuncOp body : kernels)
      addEntry(body);
  }

  void addEntry(LLVM::LLVMFuncOp body) {
    std::string name = body.getName().str();
    OpBuilder builder(body);
    Location loc = body.getLoc();
    body.setName(name + ".body");
    body.setLinkage(LLVM::Linkage::Internal);
    body.setPrivate();

    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(&getContext()), {pointer});
    auto entry = LLVM::LLVMFuncOp::create(builder, loc, name, type);
    if (Attribute scratch = body->getAttr(kScratch))
      entry->setAttr(kScratch, scratch);
    body->removeAttr(kScratch);
    Block *block = entry.addEntryBlock(builder);
    builder.setInsertionPointToStart(block);
    SmallVector<Value> buffers;
    for (unsigned i = 0; i < body.getNumArguments(); ++i) {
      Value slot = LLVM::GEPOp::create(builder, loc, pointer, pointer,
                                       block->getArgument(0),
                                       ArrayRef<LLVM::GEPArg>{int32_t(i)});
      buffers.push_back(LLVM::LoadOp::create(builder, loc, pointer, slot));
    }
    LLVM::CallOp::create(builder, loc, body, buffers);
    LLVM::ReturnOp::create(builder, loc, ValueRange());
  }
};

} // namespace
} // namespace gradus::lower

// Kernel in LLVM dialect, one pointer per buffer -> the same as a private body,
// and an entry point that takes all pointers as one array, and who runs it.
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
        LLVM::LLVMVoidType::get(&getContext()), {pointer, pointer});
    auto entry = LLVM::LLVMFuncOp::create(builder, loc, name, type);
    if (Attribute scratch = body->getAttr(kScratch))
      entry->setAttr(kScratch, scratch);
    if (Attribute split = body->getAttr(kSplit))
      entry->setAttr(kSplit, split);
    body->removeAttr(kScratch);
    body->removeAttr(kSplit);
    Block *block = entry.addEntryBlock(builder);
    builder.setInsertionPointToStart(block);
    // Numbers are the fields of a Worker: its own, how many there are; then the
    // worker itself, as `gradusBarrier` takes it.
    SmallVector<Value> arguments;
    int32_t pointers = 0, numbers = 0;
    Value worker = block->getArgument(1);
    for (Type type : body.getArgumentTypes()) {
      if (type != pointer && numbers == 2) {
        arguments.push_back(
            LLVM::PtrToIntOp::create(builder, loc, type, worker));
        continue;
      }
      bool isBuffer = type == pointer;
      Value slot = LLVM::GEPOp::create(
          builder, loc, pointer, type,
          isBuffer ? Value(block->getArgument(0)) : worker,
          ArrayRef<LLVM::GEPArg>{isBuffer ? pointers++ : numbers++});
      arguments.push_back(LLVM::LoadOp::create(builder, loc, type, slot));
    }
    LLVM::CallOp::create(builder, loc, body, arguments);
    LLVM::ReturnOp::create(builder, loc, ValueRange());
  }
};

} // namespace
} // namespace gradus::lower

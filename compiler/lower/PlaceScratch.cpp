// Kernel on buffers -> the same without allocations: a buffer inside the kernel
// lies on the stack or at a fixed offset in one block the caller provides. In a
// kernel that is split, each worker has its own of those marked private.
#include "compiler/lower/Passes.h"

namespace gradus::lower {
#define GEN_PASS_DEF_PLACESCRATCH
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

constexpr int64_t kStackBytes = 16 * 1024;
constexpr int64_t kAlignment = 64;

/// A buffer and the stretch of the kernel's body in which it is alive, as
/// numbers of the top-level operations that first and last touch it.
struct Buffer {
  memref::AllocOp alloc;
  int64_t bytes = 0;
  int64_t first = 0;
  int64_t last = 0;
  int64_t offset = 0;
  /// Each worker has its own.
  bool isPrivate = false;
};

/// Whether only one worker at a time works in a buffer, or each in its own.
bool isPrivate(memref::AllocOp alloc) {
  if (alloc->hasAttr(kPrivate))
    return true;
  for (Operation *around = alloc->getParentOp(); !isa<func::FuncOp>(around);
       around = around->getParentOp())
    if (around->hasAttr(kSplit))
      return true;
  return false;
}

struct PlaceScratchPass : impl::PlaceScratchBase<PlaceScratchPass> {
  using impl::PlaceScratchBase<PlaceScratchPass>::PlaceScratchBase;

  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (kernel.isExternal())
      return;
    SmallVector<memref::DeallocOp> deallocs;
    kernel.walk([&](memref::DeallocOp op) { deallocs.push_back(op); });
    for (memref::DeallocOp op : deallocs)
      op.erase();

    Block &body = kernel.getBody().front();
    DenseMap<Operation *, int64_t> order;
    for (Operation &op : body)
      order[&op] = static_cast<int64_t>(order.size());

    SmallVector<Buffer> buffers;
    WalkResult walk = kernel.walk([&](memref::AllocOp alloc) {
      MemRefType type = alloc.getType();
      if (!type.hasStaticShape() || !type.getLayout().isIdentity()) {
        alloc.emitError("kernel '")
            << kernel.getName() << "' needs a buffer of unknown size";
        return WalkResult::interrupt();
      }
      unsigned bits =
          type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
      Buffer buffer;
      buffer.alloc = alloc;
      buffer.bytes = llvm::alignTo(std::max<int64_t>(type.getNumElements(), 1) *
                                       ((bits + 7) / 8),
                                   kAlignment);
      buffer.isPrivate = isPrivate(alloc);
      setLifetime(buffer, body, order);
      buffers.push_back(buffer);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    if (buffers.empty())
      return;

    place(kernel, buffers);
    for (Buffer &buffer : buffers)
      buffer.alloc.erase();
  }

  /// Gives the buffers their bytes: on the stack, or in a block that becomes
  /// the last argument of the kernel.
  void place(func::FuncOp kernel, SmallVector<Buffer> &buffers) {
    OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
    Location loc = kernel.getLoc();
    bool isSplit = kernel->hasAttr(kSplit);
    SmallVector<Buffer *> own, common;
    for (Buffer &buffer : buffers)
      (isSplit && !buffer.isPrivate ? common : own).push_back(&buffer);
    int64_t ofEach = layOut(own), ofAll = layOut(common);
    bool onStack = ofEach <= kStackBytes;
    int64_t total =
        ofAll + (onStack ? 0 : ofEach * (isSplit ? int64_t(workers) : 1));

    Value block, stack;
    if (onStack && ofEach > 0)
      stack = memref::AllocaOp::create(
          builder, loc, MemRefType::get({ofEach}, builder.getI8Type()),
          builder.getI64IntegerAttr(kAlignment));
    if (total > 0) {
      kernel->setAttr(kScratch, builder.getI64IntegerAttr(total));
      unsigned index = kernel.getNumArguments();
      DictionaryAttr attributes =
          index ? kernel.getArgAttrDict(0) : DictionaryAttr();
      (void)kernel.insertArgument(index,
                                  MemRefType::get({total}, builder.getI8Type()),
                                  attributes, loc);
      block = kernel.getArgument(index);
    }
    auto view = [&](Buffer *buffer, Value bytes, Value offset) {
      auto view = memref::ViewOp::create(builder, buffer->alloc.getLoc(),
                                         buffer->alloc.getType(), bytes, offset,
                                         ValueRange());
      buffer->alloc.replaceAllUsesWith(view.getResult());
    };
    auto constant = [&](int64_t number) -> Value {
      return arith::ConstantIndexOp::create(builder, loc, number);
    };
    for (Buffer *buffer : common)
      view(buffer, block, constant(buffer->offset));
    // Behind what is common lies what the first worker has, then the next.
    Value begin;
    if (!onStack && isSplit)
      begin = arith::AddIOp::create(builder, loc, constant(ofAll),
                                    arith::MulIOp::create(builder, loc,
                                                          constant(ofEach),
                                                          workerOf(kernel)));
    for (Buffer *buffer : own) {
      Value offset = constant(buffer->offset);
      if (begin)
        offset = arith::AddIOp::create(builder, loc, begin, offset);
      view(buffer, onStack ? stack : block, offset);
    }
  }

  /// The number of the worker that runs a kernel which is split.
  static Value workerOf(func::FuncOp kernel) {
    return *llvm::find_if(kernel.getArguments(), [](Value argument) {
      return argument.getType().isIndex();
    });
  }

  /// Follows the buffer through its views to all that touch it.
  void setLifetime(Buffer &buffer, Block &body,
                   const DenseMap<Operation *, int64_t> &order) {
    auto numberOf = [&](Operation *op) {
      return order.lookup(body.findAncestorOpInBlock(*op));
    };
    buffer.first = order.size();
    SmallVector<Value> pending{buffer.alloc.getResult()};
    DenseSet<Value> seen;
    while (!pending.empty()) {
      Value value = pending.pop_back_val();
      if (!seen.insert(value).second)
        continue;
      for (Operation *user : value.getUsers()) {
        int64_t number = numberOf(user);
        buffer.first = std::min(buffer.first, number);
        buffer.last = std::max(buffer.last, number);
        for (Value result : user->getResults())
          if (isa<MemRefType>(result.getType()))
            pending.push_back(result);
        // Carried around a loop under another name.
        if (auto loop = dyn_cast<scf::ForOp>(user))
          for (Value carried : loop.getRegionIterArgs())
            if (isa<MemRefType>(carried.getType()))
              pending.push_back(carried);
        if (isa<scf::YieldOp>(user))
          for (Value result : user->getParentOp()->getResults())
            if (isa<MemRefType>(result.getType()))
              pending.push_back(result);
      }
    }
  }

  /// First fit, large buffers first. Gives the bytes needed in all.
  int64_t layOut(SmallVector<Buffer *> sorted) {
    // Equal sizes in the order of the body: one layout on every machine.
    llvm::sort(sorted, [](const Buffer *a, const Buffer *b) {
      return std::make_tuple(-a->bytes, a) < std::make_tuple(-b->bytes, b);
    });
    int64_t total = 0;
    for (size_t i = 0; i < sorted.size(); ++i) {
      Buffer &buffer = *sorted[i];
      SmallVector<Buffer *> rivals;
      for (size_t j = 0; j < i; ++j)
        if (sorted[j]->first <= buffer.last && buffer.first <= sorted[j]->last)
          rivals.push_back(sorted[j]);
      llvm::sort(rivals, [](const Buffer *a, const Buffer *b) {
        return a->offset < b->offset;
      });
      int64_t offset = 0;
      for (Buffer *rival : rivals) {
        if (offset + buffer.bytes <= rival->offset)
          break;
        offset = std::max(offset, rival->offset + rival->bytes);
      }
      buffer.offset = offset;
      total = std::max(total, offset + buffer.bytes);
    }
    return total;
  }
};

} // namespace
} // namespace gradus::lower

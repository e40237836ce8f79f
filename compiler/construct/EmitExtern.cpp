// `extern fn`: a call of a C function, with addresses and the numbers of its
// generics.
#include "compiler/construct/Emitter.h"
#include "dialect/Graph.h"

using namespace mlir;

namespace gradus::construct {

/// For each axis of a shape, packs written out, the symbol that is its size;
/// null where it is anything else.
static SmallVector<const typed::Symbol *>
symbolsOf(const typed::Shape &shape, const typed::DimEnvironment &dims) {
  SmallVector<const typed::Symbol *> symbols;
  for (const typed::Axis &axis : shape)
    if (axis.isPack())
      symbols.append(dims.packs.at(axis.pack).size(), axis.pack);
    else
      symbols.push_back(axis.dim.symbol());
  return symbols;
}

/// Which axis of `to` each axis of `from` is: the one that the same generic
/// names, if it names no other axis of either; a pack names its axes in order.
static SmallVector<int64_t> axesIn(ArrayRef<const typed::Symbol *> to,
                                   ArrayRef<const typed::Symbol *> from,
                                   const typed::DimEnvironment &dims) {
  SmallVector<int64_t> axes;
  DenseMap<const typed::Symbol *, size_t> seen;
  for (const typed::Symbol *symbol : from) {
    size_t width = 1;
    if (symbol && symbol->kind == typed::Symbol::Pack)
      width = dims.packs.at(symbol).size();
    auto count = [&](ArrayRef<const typed::Symbol *> symbols) {
      return static_cast<size_t>(llvm::count(symbols, symbol));
    };
    bool isOne = symbol && count(from) == width && count(to) == width;
    axes.push_back(isOne ? llvm::find(to, symbol) - to.begin() +
                               static_cast<int64_t>(seen[symbol]++)
                         : -1);
  }
  return axes;
}

Value Emitter::visit(const typed::ExternCall &node, const Expr &expr,
                     Frame &frame) {
  const typed::Function &callee = *node.function;
  auto hasReal = [](const typed::Type &type) {
    return type.element == typed::ElementType::Real;
  };
  bool isSingle = model.real.isF32() && hasReal(callee.result);
  Values operands;
  SmallVector<Attribute> axes;
  auto ofResult = symbolsOf(callee.result.shape, frame.dims);
  for (const Expr *argument : node.arguments) {
    isSingle |= model.real.isF32() && hasReal(argument->type);
    operands.push_back(emit(*argument, frame));
    axes.push_back(builder.getDenseI64ArrayAttr(axesIn(
        ofResult, symbolsOf(argument->type.shape, frame.dims), frame.dims)));
  }
  SmallVector<int64_t> sizes;
  for (const typed::Symbol *generic : callee.generics) {
    int64_t size = 1;
    if (generic->kind == typed::Symbol::Pack)
      for (int64_t part : frame.dims.packs.at(generic))
        size *= part;
    else
      size = frame.dims.dims.at(generic);
    sizes.push_back(size);
  }
  return graph::ExternOp::create(
      builder, location, typeOf(expr.type, frame),
      builder.getStringAttr(callee.name + (isSingle ? "f" : "")),
      builder.getStringAttr(callee.libraryPath()), operands,
      builder.getDenseI64ArrayAttr(sizes), builder.getArrayAttr(axes));
}

} // namespace gradus::construct

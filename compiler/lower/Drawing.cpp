// random: each element is one scalar formula of its index, in words of 32 bits,
// so that it is computed in vectors in whatever loop nest reads it. Of equal
// blocks of neighbouring vectors LLVM leaves one (see SchedulePointwise.cpp).
#include "compiler/lower/GraphToLinalg.h"
#include "runtime/Philox.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <numbers>

using namespace mlir;

namespace gradus::lower {
namespace {

/// Arithmetic of 32-bit words as ops of `arith`: the machine of Philox.
struct Words {
  OpBuilder &builder;
  Location loc;

  Value word(uint32_t number) const {
    return arith::ConstantOp::create(
        builder, loc, builder.getI32IntegerAttr(static_cast<int32_t>(number)));
  }
  Value real(Type type, double number) const {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getFloatAttr(type, number));
  }
  std::pair<Value, Value> product(uint32_t a, Value b) const {
    auto both = arith::MulUIExtendedOp::create(builder, loc, word(a), b);
    return {both.getLow(), both.getHigh()};
  }
  Value exor(Value a, Value b) const {
    return arith::XOrIOp::create(builder, loc, a, b);
  }
  Value plus(Value a, uint32_t b) const { return plus(a, word(b)); }
  Value plus(Value a, Value b) const {
    return arith::AddIOp::create(builder, loc, a, b);
  }
  Value times(Value a, uint32_t b) const {
    return arith::MulIOp::create(builder, loc, a, word(b));
  }
  Value shiftLeft(Value a, uint32_t bits) const {
    return arith::ShLIOp::create(builder, loc, a, word(bits));
  }
  Value shiftRight(Value a, uint32_t bits) const {
    return arith::ShRUIOp::create(builder, loc, a, word(bits));
  }
  Value both(Value a, uint32_t bits) const {
    return arith::AndIOp::create(builder, loc, a, word(bits));
  }
  /// One of two values by a bit.
  Value byBit(Value a, uint32_t bit, Value one, Value zero) const {
    Value isZero = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                         both(a, uint32_t(1) << bit), word(0));
    return arith::SelectOp::create(builder, loc, isZero, zero, one);
  }
  /// A whole number below 2^24 as a real one, divided by 2^24.
  Value fraction(Value word, Type type) const {
    Value number = arith::SIToFPOp::create(builder, loc, type, word);
    return arith::MulFOp::create(builder, loc, number, real(type, 0x1p-24));
  }
};

/// The numbers of one op.
struct Draw {
  ArrayRef<int64_t> shape;
  Type type;
  /// Philox' key, and word 1 of the counter.
  std::array<Value, 2> key;
  Value round;

  /// The row and the column of the element that is computed.
  std::pair<Value, Value> place(const Words &words) const {
    Value row = words.word(0), column = words.word(0);
    for (auto [axis, size] : llvm::enumerate(shape)) {
      Value index = arith::IndexCastOp::create(
          words.builder, words.loc, words.builder.getI32Type(),
          linalg::IndexOp::create(words.builder, words.loc, axis));
      if (axis + 1 == shape.size())
        column = index;
      else
        row = axis == 0 ? index
                        : words.plus(words.times(row, uint32_t(size)), index);
    }
    return {row, column};
  }

  /// The block of a place, of which each place takes some of the four words:
  /// written so that LLVM sees which columns of a row have the same.
  std::array<Value, 4> block(const Words &words, Value row, Value column,
                             uint32_t wordsOfPlace) const {
    uint32_t perBlock = 4 / wordsOfPlace;
    uint32_t log = wordsOfPlace == 1 ? 6 : 5;
    auto pitch = static_cast<uint32_t>(
        llvm::alignTo(shape.empty() ? 1 : shape.back(), groupOfDraws));
    Value group = words.shiftLeft(words.shiftRight(column, log), 4);
    Value inRow = arith::OrIOp::create(words.builder, words.loc, group,
                                       words.both(column, 15));
    Value number = words.plus(words.times(row, pitch / perBlock), inRow);
    return philox<Value>({number, round, words.word(0), words.word(0)}, key,
                         words);
  }

  Value uniform(const Words &words) const {
    auto [row, column] = place(words);
    auto [a, b, c, d] = block(words, row, column, 1);
    Value word = words.byBit(column, 5, words.byBit(column, 4, d, c),
                             words.byBit(column, 4, b, a));
    return words.fraction(words.shiftRight(word, 8), type);
  }

  Value normal(const Words &words) const {
    auto [row, column] = place(words);
    auto [a, b, c, d] = block(words, row, column, 2);
    Value radius = this->radius(words, words.byBit(column, 4, c, a));
    Value cosine = this->cosine(words, words.byBit(column, 4, d, b));
    return arith::MulFOp::create(words.builder, words.loc, radius, cosine);
  }

  Value radius(const Words &words, Value word) const {
    OpBuilder &builder = words.builder;
    Location loc = words.loc;
    Type f32 = builder.getF32Type();
    Value odd = arith::OrIOp::create(builder, loc, word, words.word(1));
    Value u = arith::UIToFPOp::create(builder, loc, f32, odd);
    u = arith::MulFOp::create(builder, loc, u, words.real(f32, 0x1p-32));
    if (type != f32)
      u = arith::ExtFOp::create(builder, loc, type, u);
    Value log = math::LogOp::create(builder, loc, u);
    Value square =
        arith::MulFOp::create(builder, loc, log, words.real(type, -2));
    return math::SqrtOp::create(builder, loc, square);
  }

  /// cos(2 pi v) = sin(2 pi d) with d = 1/4 - |v|, which is exact.
  Value cosine(const Words &words, Value word) const {
    OpBuilder &builder = words.builder;
    Location loc = words.loc;
    Value high = arith::ShRSIOp::create(builder, loc, word, words.word(8));
    Value v = words.fraction(high, type);
    if (type.isF64()) {
      Value angle = arith::MulFOp::create(
          builder, loc, v, words.real(type, 2 * std::numbers::pi));
      return math::CosOp::create(builder, loc, angle);
    }
    Value d = arith::SubFOp::create(builder, loc, words.real(type, 0.25),
                                    math::AbsFOp::create(builder, loc, v));
    Value square = arith::MulFOp::create(builder, loc, d, d);
    // sin(2 pi d) / d on [-1/4, 1/4] as a polynomial in d^2 through Chebyshev's
    // nodes: off by at most 4e-8 of the value.
    constexpr double coefficients[] = {39.75982708575151, -76.58117264431282,
                                       81.60247636892599, -41.341680613346526,
                                       6.283185280154406};
    Value sum = words.real(type, coefficients[0]);
    for (double coefficient : ArrayRef(coefficients).drop_front())
      sum = math::FmaOp::create(builder, loc, sum, square,
                                words.real(type, coefficient));
    return arith::MulFOp::create(builder, loc, sum, d);
  }
};

struct RandomReadsIndex : OpConversionPattern<graph::RandomOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::RandomOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto read = [&](Value tensor, std::optional<int64_t> at) -> Value {
      SmallVector<Value, 1> index;
      if (at)
        index.push_back(arith::ConstantIndexOp::create(rewriter, loc, *at));
      return tensor::ExtractOp::create(rewriter, loc, tensor, index);
    };
    Draw draw{op.getShape(),
              op.getElement(),
              {read(operands.getKey(), 0), read(operands.getKey(), 1)},
              read(operands.getKey(), 2)};
    if (Value round = operands.getRound())
      draw.round = arith::AddIOp::create(rewriter, loc, draw.round,
                                         read(round, std::nullopt));
    auto type = cast<RankedTensorType>(op.getType());
    rewriter.replaceOp(
        op, mapElements(rewriter, loc, type, {}, {},
                        [&](OpBuilder &builder, Location loc, ValueRange) {
                          Words words{builder, loc};
                          return op.getLaw() == graph::Law::uniform
                                     ? draw.uniform(words)
                                     : draw.normal(words);
                        }));
    return success();
  }
};

} // namespace

void populateDrawingPatterns(const StorageTypes &types,
                             RewritePatternSet &patterns) {
  patterns.add<RandomReadsIndex>(types, patterns.getContext());
}

} // namespace gradus::lower

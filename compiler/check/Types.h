// Types of values: tensors with a symbolic shape, and tuples of them. A shape
// is a list of entries; an entry is a dim or a pack `..S`, which stands for any
// number of axes until a call binds it. Next: TypedAst.h.
#pragma once

#include "compiler/check/Dims.h"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gradus::typed {

enum class ElementType : uint8_t {
  /// The model's precision, chosen when compiling.
  Real,
  F32,
  F64,
  I32,
  I64,
  U8,
  Bool,
  /// `index(K)`: whole numbers from 0 to K - 1.
  Index,
  /// A whole number that has not found its type yet. Never in a `Program`.
  WeakWhole,
  /// A number that has not found its type yet. Never in a `Program`.
  WeakReal
};

/// `real`, `index`, ...; a weak number is called `number`.
const char *str(ElementType element);
/// real, f32, f64: what a derivative can flow through.
bool isReal(ElementType element);
bool isWeak(ElementType element);
/// A number with arithmetic: neither bool nor index.
bool isNumber(ElementType element);

/// One entry of a shape: a dim, or a pack of axes.
struct Axis {
  Axis(Dim dim) : dim(std::move(dim)) {}
  Axis(int64_t size) : dim(size) {}
  explicit Axis(const Symbol *pack) : pack(pack) {}

  bool isPack() const { return pack != nullptr; }
  /// Same by name.
  bool operator==(const Axis &other) const;
  /// `D`, `H // 2`, `..S`.
  std::string str() const;

  Dim dim;
  /// Null unless this is a pack.
  const Symbol *pack = nullptr;
};

using Shape = std::vector<Axis>;

/// What the generics of a function or module stand for at a use. A symbol that
/// is not bound stands for itself.
struct Substitution {
  std::unordered_map<const Symbol *, Dim> dims;
  std::unordered_map<const Symbol *, Shape> packs;
};

struct Type {
  enum Kind : uint8_t {
    Tensor,
    Tuple,
    /// `fn(real[..S]) -> real[..S]`: only parameters of functions.
    Function,
    /// Already reported; goes with anything without another error.
    Poison
  } kind = Tensor;
  /// Tensor only.
  ElementType element = ElementType::Real;
  /// K of `index(K)`.
  Dim bound;
  Shape shape;
  /// Of a tuple; of a function the types of its parameters, then of its result.
  std::vector<Type> elements;

  static Type tensor(ElementType element, Shape shape = {}, Dim bound = {});
  static Type tuple(std::vector<Type> elements);
  static Type function(std::vector<Type> parameters, Type result);
  static Type poison();

  bool isTensor() const { return kind == Tensor; }
  bool isTuple() const { return kind == Tuple; }
  bool isFunction() const { return kind == Function; }
  bool isPoison() const { return kind == Poison; }
  bool isScalar() const { return kind == Tensor && shape.empty(); }
  bool hasPack() const;
  /// The same element type with another shape.
  Type withShape(Shape shape) const;
  /// The same shape with another element type.
  Type withElement(ElementType element) const;
  /// Same by name.
  bool operator==(const Type &other) const;
  /// `real[B, D]`, `index(Class)[B]`, `(real, real[D])`.
  std::string str() const;
};

std::string str(const Shape &shape);
Shape substitute(const Shape &shape, const Substitution &substitution);
Type substitute(const Type &type, const Substitution &substitution);
/// The type and those it is made of.
void forEachTensor(const Type &type,
                   const std::function<void(const Type &)> &visit);

/// The sizes of all axes, packs spread out.
std::vector<int64_t> evaluate(const Shape &shape,
                              const DimEnvironment &environment);

} // namespace gradus::typed

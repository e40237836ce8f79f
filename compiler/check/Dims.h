// Dims: whole-number expressions over named symbols, kept in one normal form.
// A dim is a polynomial with integer coefficients over atoms; an atom is a
// symbol or a quotient or remainder that does not simplify. Two dims that print
// alike are the same dim. Three-valued comparison decides what is proved at the
// definition, what is refuted there, and what waits for actual sizes.
// Next: Types.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gradus::typed {

struct Axis;
struct Interval;

/// A name that stands for a dim, or (`Pack`) for any number of axes.
struct Symbol {
  enum Kind : uint8_t {
    /// `[B, D]` after a function, module or optimizer name.
    Generic,
    /// `..S` in the same place.
    Pack,
    /// `dim D = 10`: a constant, equal to others by value, placed by name.
    Declared,
    /// `batch B = 32` of a `train`: known when a step is specialised.
    Batch,
    /// `stride` of `module Conv[C](stride: int = 1)`: may be 0 or negative.
    Whole,
    /// `i` of `for i in 0..N`: a number of its interval, which may be 0.
    Counter
  } kind = Generic;
  std::string name;
  /// Order of creation in a program; normal forms and printing follow it.
  unsigned id = 0;
  /// `Declared` only.
  int64_t value = 0;
  /// Declared with `axis`: bound by `over =` or `axis =` at a call.
  bool isAxis = false;
  /// `Counter` only.
  std::shared_ptr<const Interval> interval = nullptr;
};

/// Sizes of symbols, to turn symbolic shapes into numbers. Declared dims need
/// no entry.
struct DimEnvironment {
  std::unordered_map<const Symbol *, int64_t> dims;
  std::unordered_map<const Symbol *, std::vector<int64_t>> packs;
};

struct Substitution;

/// Larger ones are refused; every double up to it is a whole number of its own.
constexpr int64_t largestDim = int64_t(1) << 53;

/// Thrown where a dim grows beyond what anyone writes, as a product of many
/// sums does when it is multiplied out.
struct DimTooComplex {};

enum class Verdict : uint8_t { Proved, Refuted, Deferred };

/// A whole number, symbolically. Zero by default.
class Dim {
public:
  Dim() = default;
  Dim(int64_t constant);
  explicit Dim(const Symbol &symbol);

  friend Dim operator+(const Dim &a, const Dim &b);
  friend Dim operator-(const Dim &a, const Dim &b);
  friend Dim operator*(const Dim &a, const Dim &b);
  Dim operator-() const { return Dim(0) - *this; }
  /// `a // b`, rounding down.
  static Dim floorDivide(const Dim &a, const Dim &b);
  /// `a / b`: the caller has to require `remainder(a, b) == 0`.
  static Dim exactDivide(const Dim &a, const Dim &b);
  /// `a % b`, with the sign of b.
  static Dim remainder(const Dim &a, const Dim &b);

  /// The same dim by name: equal normal forms. A declared dim differs from
  /// another of the same value and from that number.
  bool operator==(const Dim &other) const;

  /// The number, once declared dims are replaced by their values.
  std::optional<int64_t> constant() const;
  /// The symbol if this is a bare name, else null.
  const Symbol *symbol() const;
  /// Whether the symbol occurs anywhere.
  bool mentions(const Symbol *symbol) const;
  /// Every symbol, each once, in the order of their ids.
  std::vector<const Symbol *> symbols() const;
  /// Declared dims replaced by their values.
  Dim expanded() const;
  Dim substitute(const Substitution &substitution) const;
  /// Every symbol has to be declared or bound in the environment.
  int64_t evaluate(const DimEnvironment &environment) const;
  /// Number of symbols, numbers and quotients in it, those in quotients too.
  size_t complexity() const;
  /// Whether a quotient or remainder that did not simplify is left.
  bool hasDivision() const;
  /// Whether it depends on the counter of a loop.
  bool hasCounter() const;
  /// The least, or the greatest, of its values over the rounds of all loops;
  /// it still has counters where it does not rise or fall with them evenly.
  Dim leastOverLoops() const;
  Dim greatestOverLoops() const { return -(-*this).leastOverLoops(); }
  /// A lower bound given that every size is at least 1; none if unbounded.
  std::optional<int64_t> lowerBound() const;

  /// As the user would write it: `4 * D`, `H // 2 + 1`.
  std::string str() const;

  struct Quotient;
  struct Atom {
    const Symbol *symbol = nullptr;
    std::shared_ptr<const Quotient> quotient;
  };
  struct Term {
    int64_t coefficient = 0;
    std::vector<Atom> atoms;
  };
  /// Sorted, without zero coefficients, the constant last.
  const std::vector<Term> &terms() const { return sum; }

private:
  static int compare(const Atom &a, const Atom &b);
  static int compare(const Term &a, const Term &b);
  static int compare(const Dim &a, const Dim &b);
  static Dim normalised(std::vector<Term> terms);
  template <typename Kind>
  static Dim unsimplified(Kind kind, const Dim &left, const Dim &right);
  static Dim divide(const Dim &a, const Dim &b, bool isExact);
  bool splitByDivisor(const Dim &divisor, Dim &multiple, Dim &rest) const;
  template <typename Leaf> Dim rebuilt(const Leaf &leaf) const;
  std::vector<Term> sum;
};

/// The numbers from `first` up to and without `end`.
struct Interval {
  Dim first, end;
};

/// What a quotient atom stands for.
struct Dim::Quotient {
  enum Kind : uint8_t { Floor, Exact, Remainder } kind = Floor;
  Dim left, right;
  /// That of both together.
  size_t complexity = 0;
};

enum class Relation : uint8_t {
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual
};
/// `==`, `<=`, ...
const char *str(Relation relation);
bool holds(int64_t left, Relation relation, int64_t right);

/// Equality of dims. Refuted: they differ for some sizes and no quotient could
/// make up for it (generic dims are rigid: `B` is never `D`).
Verdict compareEqual(const Dim &a, const Dim &b);
/// Any relation, with every symbol at least 1 and in every round of a loop. An
/// inequality that depends on the sizes is Deferred.
Verdict compare(const Dim &left, Relation relation, const Dim &right);

} // namespace gradus::typed

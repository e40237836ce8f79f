// The nodes of index notation and of subscripts that are values. Inside of a
// ForEach or IndexReduce all expressions that depend on its indices are single
// numbers; `compiler/construct/` computes them for all values of the indices at
// once. Part of TypedAst.h.
#pragma once

#include "compiler/check/Types.h"

#include <string>
#include <utility>
#include <vector>

namespace gradus::typed {

struct Expr;
struct Local;
enum class Builtin : uint8_t;

/// constant + sum of coefficient * index.
struct Affine {
  Dim constant;
  /// Each index once.
  std::vector<std::pair<const Local *, Dim>> terms;

  /// `2 * i + u - 1`.
  std::string str() const;
};

/// `let c[i, j] = e`: the tensor of `element` for all values of the indices.
struct ForEach {
  std::vector<const Local *> indices;
  const Expr *element;
};
/// `sum[k](e)`: Sum Mean MaxOf MinOf Prod Any All ArgMax ArgMin of `element`
/// over all values of the indices.
struct IndexReduce {
  Builtin op;
  std::vector<const Local *> indices;
  const Expr *element;
};
/// `x[i + 1, text[b]]`: one number of a tensor that depends on no index, each
/// axis at a position known to lie in range.
struct At {
  struct Subscript {
    Affine position;
    /// Instead of `position`: an index(K).
    const Expr *value = nullptr;
  };
  const Expr *operand;
  std::vector<Subscript> subscripts;
};
/// `table[ids]`: the axes `entries` (ascending) of the operand at the values of
/// `indices`, all of one shape. That shape stands in the result where the first
/// of these entries was.
struct Gather {
  const Expr *operand;
  std::vector<unsigned> entries;
  std::vector<const Expr *> indices;
};

/// The expressions a node is made of; of a loop also those of its statements.
std::vector<const Expr *> operandsOf(const Expr &expr);

/// The indices that a value depends on, in the order of their first use: those
/// of the expression but not those of a ForEach or IndexReduce within.
std::vector<const Local *> freeIndices(const Expr &expr);

} // namespace gradus::typed

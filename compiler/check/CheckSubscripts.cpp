// Subscripts: slices, positions known when compiling, values of type index(K),
// and, in index notation, sums of indices.
#include "compiler/check/Body.h"

#include <algorithm>

namespace gradus::typed {

/// One subscript, by what it is.
struct Body::Subscript {
  enum Kind : uint8_t {
    /// The whole axis.
    All,
    /// From `begin` to before `end`.
    Part,
    /// At `begin`.
    Fixed,
    /// A sum of indices.
    Indexed,
    /// At the values of `value`.
    Value
  } kind = All;
  Range range;
  Dim begin, end;
  Affine position;
  const Expr *value = nullptr;

  bool dependsOnIndex() const {
    return kind == Indexed || (kind == Value && !freeIndices(*value).empty());
  }
};

// Whether all names are those of dims and constants; nothing if one is unknown.
std::optional<bool> Body::isFixed(const ast::Expr &expr) {
  if (auto *unary = expr.as<ast::Unary>())
    return isFixed(*unary->operand);
  if (auto *binary = expr.as<ast::Binary>()) {
    auto left = isFixed(*binary->left), right = isFixed(*binary->right);
    return left && right ? std::optional(*left && *right) : std::nullopt;
  }
  if (!expr.as<ast::NameUse>() && !expr.as<ast::Call>() &&
      !expr.as<ast::Index>() && !expr.as<ast::Member>())
    return true;
  Entity named = entity(expr);
  if (named.kind == Entity::Unknown)
    return std::nullopt;
  return named.kind == Entity::Dim || named.kind == Entity::Const ||
         named.kind == Entity::Size;
}

/// A bound or position; one that is certainly negative counts from the end, but
/// for what a loop counts.
static Dim fromEnd(const Dim &bound, const Dim &extent) {
  return !bound.hasCounter() &&
                 compare(bound, Relation::Less, Dim(0)) == Verdict::Proved
             ? extent + bound
             : bound;
}

bool Body::takesValue(const Expr *index, const Expr *operand, unsigned entry) {
  const Type &type = index->type;
  if (!isTensor("[ ]", index))
    return false;
  const Dim &extent = operand->type.shape[entry].dim;
  if (type.element == ElementType::Index) {
    if (require(type.bound, Relation::LessEqual, extent, index->range))
      return true;
    state.diagnostics
        .report(diag::IndexBound, index->range, quoted(*operand),
                Type::tensor(ElementType::Index, type.shape, extent).str(),
                type.str(), "")
        .label(operand->range, operand->type.str());
    return false;
  }
  if (isWeak(type.element)) {
    state.diagnostics.report(diag::NotASubscript, index->range, quoted(*index))
        .help("a subscript may be `2 * i + u - 1`, or a value of type "
              "index(K)");
    return false;
  }
  if (!isReal(type.element) && type.element != ElementType::Bool) {
    state
        .refuse(index->range,
                fmt::format("subscripts of type {} are", str(type.element)))
        .help(fmt::format("index({}) holds what lies within the axis",
                          extent.str()));
    return false;
  }
  state.diagnostics.report(diag::NeedsIndex, index->range, "[ ]",
                           quoted(*index), type.str());
  return false;
}

bool Body::readSubscript(Subscript &subscript, const ast::Expr &tree,
                         const Expr *operand, unsigned entry) {
  Range where = subscript.range = tree.range;
  const Dim &extent = operand->type.shape[entry].dim;
  Type axisType = operand->type.withShape({extent});
  if (auto *part = tree.as<ast::Slice>()) {
    auto begin = part->begin ? dim(*part->begin) : std::optional(Dim(0));
    auto end = part->end ? dim(*part->end) : std::optional(extent);
    if (!begin || !end)
      return false;
    subscript.kind = Subscript::Part;
    subscript.begin = fromEnd(*begin, extent);
    subscript.end = fromEnd(*end, extent);
    if (!require(Dim(0), Relation::LessEqual, subscript.begin, where) ||
        !require(subscript.end, Relation::LessEqual, extent, where)) {
      state.diagnostics.report(diag::IndexPastEnd, where, axisType.str())
          .here(fmt::format("from {} to {}", subscript.begin.str(),
                            subscript.end.str()));
      return false;
    }
    if (require(subscript.begin, Relation::Less, subscript.end, where))
      return true;
    state.diagnostics.report(
        diag::EmptySlice, where,
        fmt::format("{}..{}", subscript.begin.str(), subscript.end.str()),
        axisType.str());
    return false;
  }
  std::optional<bool> known = isFixed(tree);
  if (!known)
    return false;
  if (*known) {
    auto position = dim(tree);
    if (!position)
      return false;
    subscript.kind = Subscript::Fixed;
    subscript.begin = fromEnd(*position, extent);
    return checkPosition(subscript.begin, extent, where, axisType.str(),
                         *position);
  }
  if (auto position = indexDepth ? affine(tree) : std::nullopt) {
    subscript.kind = Subscript::Indexed;
    subscript.position = *position;
    IndexUse use = {*position, nullptr, extent, where, operand->type};
    if (tree.as<ast::NameUse>())
      return useBare(position->terms.front().first, use);
    indexUses.push_back(std::move(use));
    return true;
  }
  subscript.kind = Subscript::Value;
  subscript.value = value(tree);
  // Quotients of indices: exact in f64.
  if (subscript.value->type.element == ElementType::WeakWhole &&
      subscript.value->type.isScalar() && reachOf(*subscript.value)) {
    indexUses.push_back({{}, subscript.value, extent, where, operand->type});
    const Expr *exact = adapt(subscript.value, ElementType::F64, Dim());
    subscript.value =
        make(Type::tensor(ElementType::I32), where, Convert{exact});
    return true;
  }
  return !subscript.value->type.isPoison() &&
         takesValue(subscript.value, operand, entry);
}

const Expr *Body::index(const ast::Expr &expr, const ast::Index &tree) {
  Range range = expr.range;
  if (tree.base->as<ast::NameUse>()) {
    Entity base = entity(*tree.base);
    if (base.kind == Entity::Unknown)
      return poison(range);
    if (base.kind == Entity::Builtin) {
      switch (base.builtin) {
      case Builtin::Zeros:
      case Builtin::Ones:
      case Builtin::Eye:
      case Builtin::Iota:
        return creation(base.builtin, expr, tree);
      case Builtin::Reshape:
        state.diagnostics.report(diag::MissingArgument, range, "reshape", "x");
        return poison(range);
      default:
        break;
      }
    }
  }
  const Expr *operand = strong(*tree.base);
  if (operand->type.isPoison() || !isTensor("[ ]", operand))
    return poison(range);
  const Shape &shape = operand->type.shape;
  auto isRest = [](const ast::Subscript &subscript) {
    auto *slice = subscript.value->as<ast::Slice>();
    return slice && !slice->begin && !slice->end;
  };
  size_t size = tree.subscripts.size();
  size_t rests =
      std::count_if(tree.subscripts.begin(), tree.subscripts.end(), isRest);
  if (rests > 1) {
    state.diagnostics.report(diag::ArgumentTwice, range, "..");
    return poison(range);
  }
  if (size - rests > shape.size()) {
    state.diagnostics.report(diag::TooManySubscripts, range,
                             operand->type.str(), count(shape.size(), "axis"),
                             count(size - rests, "subscript"));
    return poison(range);
  }
  std::vector<Subscript> subscripts(shape.size());
  bool isAfterRest = false, isGood = true;
  for (size_t i = 0; i < size; ++i) {
    const ast::Subscript &subscript = tree.subscripts[i];
    if (subscript.index) {
      refuseRange(*subscript.index, "in a subscript");
      return poison(range);
    }
    if (isRest(subscript)) {
      isAfterRest = true;
      continue;
    }
    auto entry =
        entryAt(shape, isAfterRest ? int64_t(i) - int64_t(size) : int64_t(i));
    if (!entry) {
      state.diagnostics.report(diag::AxisOutOfRange, subscript.value->range,
                               operand->type.str(), i);
      return poison(range);
    }
    isGood &=
        readSubscript(subscripts[*entry], *subscript.value, operand, *entry);
  }
  if (!isGood)
    return poison(range);
  if (std::ranges::any_of(subscripts, &Subscript::dependsOnIndex))
    return at(range, operand, subscripts);
  const Expr *cut = slice(range, operand, subscripts);
  bool takesValues = std::ranges::any_of(subscripts, [](const auto &part) {
    return part.kind == Subscript::Value;
  });
  return takesValues ? gather(range, cut, subscripts) : cut;
}

// All but what is at values.
const Expr *Body::slice(Range range, const Expr *operand,
                        const std::vector<Subscript> &subscripts) {
  Slice slice = {operand, std::vector<Slice::Part>(subscripts.size())};
  Shape kept;
  bool cuts = false;
  for (size_t i = 0; i < subscripts.size(); ++i) {
    const Subscript &subscript = subscripts[i];
    slice.parts[i] = {subscript.begin, subscript.kind == Subscript::Fixed};
    cuts |=
        subscript.kind == Subscript::Part || subscript.kind == Subscript::Fixed;
    if (subscript.kind == Subscript::Part)
      kept.push_back(subscript.end - subscript.begin);
    else if (subscript.kind != Subscript::Fixed)
      kept.push_back(operand->type.shape[i]);
  }
  if (!cuts)
    return operand;
  return make(operand->type.withShape(std::move(kept)), range,
              std::move(slice));
}

const Expr *Body::gather(Range range, const Expr *cut,
                         const std::vector<Subscript> &subscripts) {
  Gather gather = {cut, {}, {}};
  unsigned entry = 0;
  for (const Subscript &subscript : subscripts) {
    if (subscript.kind == Subscript::Value) {
      gather.entries.push_back(entry);
      gather.indices.push_back(subscript.value);
    }
    entry += subscript.kind != Subscript::Fixed;
  }
  if (!lineUp("[ ]", range, gather.indices))
    return poison(range);
  Shape result;
  for (unsigned i = 0; i < cut->type.shape.size(); ++i) {
    if (i == gather.entries.front())
      result.insert(result.end(), gather.indices[0]->type.shape.begin(),
                    gather.indices[0]->type.shape.end());
    if (std::ranges::find(gather.entries, i) == gather.entries.end())
      result.push_back(cut->type.shape[i]);
  }
  return make(cut->type.withShape(std::move(result)), range, std::move(gather));
}

const Expr *Body::at(Range range, const Expr *operand,
                     const std::vector<Subscript> &subscripts) {
  At at = {operand, {}};
  Shape left;
  for (size_t i = 0; i < subscripts.size(); ++i) {
    const Subscript &subscript = subscripts[i];
    if (subscript.kind == Subscript::Part)
      left.push_back(subscript.end - subscript.begin);
    else if (subscript.kind == Subscript::All)
      left.push_back(operand->type.shape[i]);
    else if (subscript.value)
      left.insert(left.end(), subscript.value->type.shape.begin(),
                  subscript.value->type.shape.end());
    at.subscripts.push_back({subscript.kind == Subscript::Fixed
                                 ? Affine{subscript.begin, {}}
                                 : subscript.position,
                             subscript.value});
  }
  if (!left.empty()) {
    state.diagnostics
        .report(diag::IndexedArray, range, operand->type.withShape(left).str())
        .help("every axis needs an index or a position: `x[i, 0]`");
    return poison(range);
  }
  return make(operand->type.withShape({}), range, std::move(at));
}

} // namespace gradus::typed

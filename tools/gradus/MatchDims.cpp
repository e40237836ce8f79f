// See MatchDims.h.
#include "tools/gradus/MatchDims.h"
#include "runtime/Error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace gradus {

namespace {

class Matcher {
public:
  explicit Matcher(const typed::Function &function) : function(function) {}

  void bind(const typed::Local &argument, const std::vector<int64_t> &shape);
  void verify(const typed::Local &argument, const std::vector<int64_t> &shape);
  void verifyRequirements();
  const typed::DimEnvironment &found() const { return dims; }

private:
  [[noreturn]] void refuse(const typed::Local &argument,
                           const std::vector<int64_t> &shape);
  void bindDim(const typed::Symbol *symbol, int64_t size,
               const typed::Local &argument);
  void bindPack(const typed::Symbol *symbol, const std::vector<int64_t> &sizes,
                const typed::Local &argument);
  void requireKnown(const std::vector<const typed::Symbol *> &symbols);

  const typed::Function &function;
  typed::DimEnvironment dims;
  /// The argument that bound each generic.
  std::map<const typed::Symbol *, const typed::Local *> origin;
};

} // namespace

static std::string text(const std::vector<int64_t> &shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

void Matcher::refuse(const typed::Local &argument,
                     const std::vector<int64_t> &shape) {
  throw Error(fault::GivenShape, argument.name, argument.type.str(),
              shape.empty() ? "one number" : text(shape))
      .note(fmt::format("`{}` is an argument of `{}`", argument.name,
                        function.name));
}

void Matcher::bindDim(const typed::Symbol *symbol, int64_t size,
                      const typed::Local &argument) {
  auto [known, isNew] = dims.dims.emplace(symbol, size);
  if (isNew)
    origin[symbol] = &argument;
  else if (known->second != size)
    throw Error(fault::DimsDisagree, symbol->name, known->second,
                origin[symbol]->name, size, argument.name)
        .note(fmt::format("`{}` is {}, `{}` is {}", origin[symbol]->name,
                          origin[symbol]->type.str(), argument.name,
                          argument.type.str()));
}

void Matcher::bindPack(const typed::Symbol *symbol,
                       const std::vector<int64_t> &sizes,
                       const typed::Local &argument) {
  auto [known, isNew] = dims.packs.emplace(symbol, sizes);
  if (isNew)
    origin[symbol] = &argument;
  else if (known->second != sizes)
    throw Error(fault::DimsDisagree, ".." + symbol->name, text(known->second),
                origin[symbol]->name, text(sizes), argument.name);
}

// Bare names are bound; a pack takes what the other entries leave.
void Matcher::bind(const typed::Local &argument,
                   const std::vector<int64_t> &shape) {
  const typed::Shape &declared = argument.type.shape;
  size_t packs = 0;
  for (const typed::Axis &axis : declared)
    packs += axis.isPack();
  size_t fixed = declared.size() - packs;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    throw Error(fault::EmptyValue, argument.name, text(shape));
  if (packs > 1 || (packs ? shape.size() < fixed : shape.size() != fixed))
    refuse(argument, shape);
  size_t at = 0;
  for (const typed::Axis &axis : declared) {
    if (axis.isPack()) {
      size_t end = at + shape.size() - fixed;
      bindPack(axis.pack, {shape.begin() + at, shape.begin() + end}, argument);
      at = end;
      continue;
    }
    const typed::Symbol *symbol = axis.dim.symbol();
    if (symbol && symbol->kind == typed::Symbol::Generic)
      bindDim(symbol, shape[at], argument);
    ++at;
  }
}

void Matcher::requireKnown(const std::vector<const typed::Symbol *> &symbols) {
  for (const typed::Symbol *symbol : symbols)
    if (symbol->kind == typed::Symbol::Generic && !dims.dims.contains(symbol))
      throw Error(fault::UnknownDim, symbol->name, function.name)
          .note("only an axis that is a bare name tells a dim");
}

void Matcher::verify(const typed::Local &argument,
                     const std::vector<int64_t> &shape) {
  for (const typed::Axis &axis : argument.type.shape)
    if (!axis.isPack())
      requireKnown(axis.dim.symbols());
  if (typed::evaluate(argument.type.shape, dims) != shape)
    refuse(argument, shape);
}

void Matcher::verifyRequirements() {
  for (const typed::Symbol *generic : function.generics)
    if (generic->kind == typed::Symbol::Generic)
      requireKnown({generic});
  for (const typed::Requirement &requirement : function.requirements) {
    requireKnown(requirement.left.symbols());
    requireKnown(requirement.right.symbols());
    int64_t left = requirement.left.evaluate(dims);
    int64_t right = requirement.right.evaluate(dims);
    if (!typed::holds(left, requirement.relation, right))
      throw Error(fault::UnmetRequirement, function.name, requirement.str(),
                  fmt::format("{} {} {}", left,
                              typed::str(requirement.relation), right));
  }
}

typed::DimEnvironment
matchDims(const typed::Function &function,
          const std::vector<std::vector<int64_t>> &shapes) {
  Matcher matcher(function);
  for (size_t i = 0; i < shapes.size(); ++i)
    matcher.bind(*function.arguments[i], shapes[i]);
  for (size_t i = 0; i < shapes.size(); ++i)
    matcher.verify(*function.arguments[i], shapes[i]);
  matcher.verifyRequirements();
  return matcher.found();
}

} // namespace gradus

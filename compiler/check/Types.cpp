// Types as the user reads them, and substitution of generics in them.
#include "compiler/check/Types.h"

#include <algorithm>

namespace gradus::typed {

const char *str(ElementType element) {
  switch (element) {
  case ElementType::Real:
    return "real";
  case ElementType::F32:
    return "f32";
  case ElementType::F64:
    return "f64";
  case ElementType::I32:
    return "i32";
  case ElementType::I64:
    return "i64";
  case ElementType::U8:
    return "u8";
  case ElementType::Bool:
    return "bool";
  case ElementType::Index:
    return "index";
  case ElementType::WeakWhole:
  case ElementType::WeakReal:
    return "number";
  }
  return "";
}

bool isReal(ElementType element) {
  return element == ElementType::Real || element == ElementType::F32 ||
         element == ElementType::F64;
}

bool isWeak(ElementType element) {
  return element == ElementType::WeakWhole || element == ElementType::WeakReal;
}

bool isNumber(ElementType element) {
  return isReal(element) || isWeak(element) || element == ElementType::I32 ||
         element == ElementType::I64;
}

bool Axis::operator==(const Axis &other) const {
  return pack == other.pack && (pack || dim == other.dim);
}

std::string Axis::str() const { return pack ? ".." + pack->name : dim.str(); }

Type Type::tensor(ElementType element, Shape shape, Dim bound) {
  Type type;
  type.element = element;
  type.shape = std::move(shape);
  type.bound = std::move(bound);
  return type;
}

Type Type::tuple(std::vector<Type> elements) {
  Type type;
  type.kind = Tuple;
  type.elements = std::move(elements);
  return type;
}

Type Type::function(std::vector<Type> parameters, Type result) {
  Type type;
  type.kind = Function;
  type.elements = std::move(parameters);
  type.elements.push_back(std::move(result));
  return type;
}

Type Type::poison() {
  Type type;
  type.kind = Poison;
  return type;
}

bool Type::hasPack() const {
  return std::any_of(shape.begin(), shape.end(),
                     [](const Axis &axis) { return axis.isPack(); });
}

Type Type::withShape(Shape other) const {
  return tensor(element, std::move(other), bound);
}

Type Type::withElement(ElementType other) const { return tensor(other, shape); }

bool Type::operator==(const Type &other) const {
  if (kind != other.kind)
    return false;
  if (kind == Tuple || kind == Function)
    return elements == other.elements;
  return kind == Poison || (element == other.element && shape == other.shape &&
                            bound == other.bound);
}

static std::string list(const auto &items) {
  std::string text;
  for (const auto &item : items)
    text += (text.empty() ? "" : ", ") + item.str();
  return text;
}

std::string Type::str() const {
  switch (kind) {
  case Tuple:
    return "(" + list(elements) + ")";
  case Function:
    return fmt::format("fn({}) -> {}",
                       list(std::span(elements).first(elements.size() - 1)),
                       elements.back().str());
  case Poison:
    return "?";
  case Tensor:
    break;
  }
  std::string text = typed::str(element);
  if (element == ElementType::Index)
    text += "(" + bound.str() + ")";
  return shape.empty() ? text : text + typed::str(shape);
}

std::string str(const Shape &shape) { return "[" + list(shape) + "]"; }

Shape substitute(const Shape &shape, const Substitution &substitution) {
  Shape result;
  for (const Axis &axis : shape) {
    if (!axis.isPack()) {
      result.push_back(axis.dim.substitute(substitution));
      continue;
    }
    auto found = substitution.packs.find(axis.pack);
    if (found == substitution.packs.end())
      result.push_back(axis);
    else
      result.insert(result.end(), found->second.begin(), found->second.end());
  }
  return result;
}

Type substitute(const Type &type, const Substitution &substitution) {
  Type result = type;
  result.bound = type.bound.substitute(substitution);
  result.shape = substitute(type.shape, substitution);
  for (Type &element : result.elements)
    element = substitute(element, substitution);
  return result;
}

void forEachTensor(const Type &type,
                   const std::function<void(const Type &)> &visit) {
  if (type.isTensor())
    visit(type);
  for (const Type &element : type.elements)
    forEachTensor(element, visit);
}

std::vector<int64_t> evaluate(const Shape &shape,
                              const DimEnvironment &environment) {
  std::vector<int64_t> sizes;
  for (const Axis &axis : shape) {
    if (!axis.isPack()) {
      sizes.push_back(axis.dim.evaluate(environment));
      continue;
    }
    const auto &pack = environment.packs.at(axis.pack);
    sizes.insert(sizes.end(), pack.begin(), pack.end());
  }
  return sizes;
}

} // namespace gradus::typed

// Writes one op after the other on values of small shapes. Numbers stay within
// [-1, 1] or nearly so, so that programs agree however they are computed.
#include "test/unit/fuse/RandomProgram.h"

#include <map>
#include <random>
#include <vector>

namespace gradus {
namespace {

using Shape = std::vector<int64_t>;

struct Value {
  std::string name;
  Shape shape;
};

std::string list(const std::vector<int64_t> &numbers) {
  std::string text;
  for (int64_t number : numbers)
    text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

std::string tensor(const Shape &shape, const std::string &element = "f32") {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

class Writer {
public:
  explicit Writer(unsigned seed) : random(seed) {}

  std::string write() {
    const std::vector<Shape> shapes = {{},     {3},       {4},    {4, 3},
                                       {3, 4}, {4, 3, 2}, {4, 3}, {4}};
    for (const Shape &shape : shapes)
      values.push_back({"%a" + std::to_string(values.size()), shape});
    arguments = values;
    for (int64_t count = draw(3, 30); count > 0; --count)
      writeOp();
    return assemble();
  }

private:
  int64_t draw(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }

  const Value &any() { return values[draw(0, values.size() - 1)]; }

  /// A value of this shape; there is one at least.
  const Value &like(const Shape &shape) {
    for (;;)
      if (const Value &value = any(); value.shape == shape)
        return value;
  }

  void emit(const std::string &text, Shape shape) {
    std::string name = "%" + std::to_string(body.size());
    body.push_back(name + " = graph." + text);
    values.push_back({name, std::move(shape)});
  }

  /// A line whose result is no value of its own: a mask.
  std::string emitMask(const std::string &text) {
    std::string name = "%" + std::to_string(body.size());
    body.push_back(name + " = graph." + text);
    return name;
  }

  void writeOp() {
    Value x = any();
    std::string type = tensor(x.shape);
    int64_t rank = x.shape.size();
    switch (draw(0, 11)) {
    case 0:
      return emit(pick({"tanh", "sin", "abs", "neg", "stop"}) + " " + x.name +
                      " : " + type,
                  x.shape);
    case 1:
    case 2:
      return emit(pick({"max", "min", "mul", "strong_mul"}) + " " + x.name +
                      ", " + like(x.shape).name + " : " + type,
                  x.shape);
    case 3: {
      Value y = like(x.shape);
      std::string mask = emitMask("compare " + pick({"gt", "le"}) + " " +
                                  x.name + ", " + y.name + " : " + type);
      return emit("select " + mask + ", " + like(x.shape).name + ", " +
                      like(x.shape).name + " : " + type,
                  x.shape);
    }
    case 4: {
      // Squashed, so that sums do not grow.
      if (rank == 0)
        return;
      std::vector<int64_t> dims;
      Shape left;
      for (int64_t axis = 0; axis < rank; ++axis) {
        bool reduced = draw(0, 1) || (axis == rank - 1 && dims.empty());
        (reduced ? dims : left).push_back(reduced ? axis : x.shape[axis]);
      }
      emit(pick({"sum", "reduce_max"}) + " " + x.name + " over " + list(dims) +
               " : " + type,
           left);
      std::string last = values.back().name;
      return emit("tanh " + last + " : " + tensor(left), left);
    }
    case 5:
    case 6: {
      if (rank > 2)
        return;
      int64_t dim = draw(0, rank), size = draw(2, 4);
      Shape shape = x.shape;
      shape.insert(shape.begin() + dim, size);
      return emit("broadcast " + x.name + " along " + list({dim}) + " sizes " +
                      list({size}) + " : " + type,
                  shape);
    }
    case 7:
      if (rank != 2)
        return;
      return emit("transpose " + x.name + " by [1, 0] : " + type,
                  {x.shape[1], x.shape[0]});
    case 8: {
      int64_t elements = 1;
      for (int64_t size : x.shape)
        elements *= size;
      Shape shape = elements % 3 == 0 && draw(0, 1) ? Shape{elements / 3, 3}
                                                    : Shape{elements};
      return emit("reshape " + x.name + " to " + list(shape) + " : " + type,
                  shape);
    }
    case 9: {
      if (rank == 3)
        return writeBatched(x);
      if (rank != 2)
        return;
      Value y = like(x.shape);
      bool square = draw(0, 1);
      emit("einsum \"" + std::string(square ? "ij,ij->i" : "ij,ik->jk") +
               "\" " + x.name + ", " + y.name + " : " + type + ", " + type,
           square ? Shape{x.shape[0]} : Shape{x.shape[1], x.shape[1]});
      Value product = values.back();
      return emit("tanh " + product.name + " : " + tensor(product.shape),
                  product.shape);
    }
    case 10: {
      if (rank == 0)
        return;
      std::vector<int64_t> low(rank), high(rank);
      low[draw(0, rank - 1)] = 1;
      Shape shape = x.shape;
      for (int64_t axis = 0; axis < rank; ++axis)
        shape[axis] += low[axis];
      emit("pad " + x.name + " low " + list(low) + " high " + list(high) +
               " : " + type,
           shape);
      Value padded = values.back();
      return emit("slice " + padded.name + " from " +
                      list(std::vector<int64_t>(rank)) + " sizes " +
                      list(x.shape) + " : " + tensor(padded.shape),
                  x.shape);
    }
    default: {
      std::string half = emitMask("constant dense<0.5> : " + type);
      return emit("mul " + x.name + ", " + half + " : " + type, x.shape);
    }
    }
  }

  /// Products of matrices, one for each index of a batch, as attention has
  /// them.
  void writeBatched(const Value &x) {
    std::string type = tensor(x.shape);
    Shape shape = {x.shape[0], x.shape[1], x.shape[1]};
    emit("einsum \"bij,bkj->bik\" " + x.name + ", " + like(x.shape).name +
             " : " + type + ", " + type,
         shape);
    Value scores = values.back();
    emit("tanh " + scores.name + " : " + tensor(shape), shape);
    Value weights = values.back();
    emit("einsum \"bik,bkj->bij\" " + weights.name + ", " + like(x.shape).name +
             " : " + tensor(shape) + ", " + type,
         x.shape);
    emit("tanh " + values.back().name + " : " + type, x.shape);
  }

  std::string pick(std::vector<std::string> choices) {
    return choices[draw(0, choices.size() - 1)];
  }

  std::string assemble() {
    std::string head, results, returned, types;
    for (const Value &argument : arguments)
      head += (head.empty() ? "" : ", ") + argument.name + ": " +
              tensor(argument.shape);
    auto addResult = [&](const Value &value, const std::string &attributes) {
      std::string comma = results.empty() ? "" : ", ";
      results += comma + tensor(value.shape) + attributes;
      returned += comma + value.name;
      types += comma + tensor(value.shape);
    };
    for (size_t i = 0; i < arguments.size(); ++i)
      if (draw(0, 2) > 0)
        addResult(like(arguments[i].shape),
                  " {graph.updates = " + std::to_string(i) + " : i64}");
    for (int64_t count = draw(0, 3); count > 0; --count)
      addResult(any(), "");
    std::string text = "func.func @step(" + head + ") -> (" + results + ") {\n";
    for (const std::string &line : body)
      text += "  " + line + "\n";
    return text + "  return " + returned +
           (returned.empty() ? "" : " : " + types) + "\n}\n";
  }

  std::mt19937 random;
  std::vector<Value> values, arguments;
  std::vector<std::string> body;
};

} // namespace

std::string randomProgram(unsigned seed) { return Writer(seed).write(); }

} // namespace gradus

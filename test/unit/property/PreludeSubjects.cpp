// One subject for each function and module that std.nn exports, made from its
// signature: dims and packs get random sizes, and a model file calls it. One
// that has state is another function while training, and another subject.
#include "test/unit/property/ModelSample.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace mlir;

namespace gradus::property {

/// The numbers of arguments that do not take all, `function.argument`, and
/// seams beside the usual ones. Where an argument divides, its seams are powers
/// of two: to divide by them is exact, whichever way it is done.
static const Domains &domains() {
  static const Domains rows = {
      {"cosine.t", {0.5, 3, {1, 2, 4}}},
      {"linear.t", {0.5, 3, {1, 2, 4}}},
      {"linear.total", {1, 4, {1, 2, 4}}},
      {"step_decay.t", {1.2, 3.8, {1, 2, 4}}},
      {"step_decay.every", {4, 8, {1, 2, 4}}},
      {"step_decay.factor", {0.1, 2, {0.5, 1}}},
      {"one_cycle.t", {0.5, 3, {1, 2, 4}}},
      {"one_cycle.total", {4, 8, {1, 2, 4}}},
      {"one_cycle.peak", {0.9, 0.95, {0.25, 0.5}}},
      {"kl.p", {0.1, 1, {0, 0.5, 1}}},
      {"kl.q", {0.1, 1, {0.5, 1}}},
      {"nll.logs", {-2, 0}},
      {"focal.z", {-2, 2, {-1000, 0, 1, 1000}}},
      {"focal.gamma", {3.2, 4, {0, 1, 2}}},
      {"smoothed_cross_entropy.z", {-2, 2, {-1000, 0, 1, 1000}}},
      {"cosine.total", {1, 4, {1, 2, 4}}},
      {"warmup.t", {0.5, 3, {1, 2, 4}}},
      {"warmup.n", {1, 4, {1, 2, 4}}},
      {"sigmoid.x", {-2, 2, {-1000, -1, 0, 1, 1000}}},
      {"softplus.x", {-2, 2, {-1000, -1, 0, 1, 1000}}},
      {"softmax.x", {-2, 2, {-1000, 0, 1, 1000}}},
      {"log_softmax.x", {-2, 2, {-1000, 0, 1, 1000}}},
      {"cross_entropy.z", {-2, 2, {-1000, 0, 1, 1000}}},
      {"log_sigmoid.x", {-2, 2, {-1000, -1, 0, 1, 1000}}},
      {"logaddexp.a", {-2, 2, {-1000, 0, 1, 1000}}},
      {"logaddexp.b", {-2, 2, {-1000, 0, 1, 1000}}},
      {"binary_cross_entropy.z", {-2, 2, {-1000, 0, 1, 1000}}},
      {"binary_cross_entropy.y", {0, 1, {0, 0.5, 1}}},
      // Smooth points are away from the joins, abs(p - y) = delta.
      {"huber.p", {-0.9, 0.9}},
      {"huber.y", {2.1, 2.9}},
      {"huber.delta", {0.1, 0.9, {1, 2}}},
      // ... and from a margin of 1.
      {"hinge.z", {-0.45, 0.45}},
      {"BatchNorm.l.sigma2", {0.2, 3, {0, 1, 3}}},
  };
  return rows;
}

/// What is added to the value of a function that some arguments only count
/// steps for: their derivative is zero, which is refused unless it is said.
static std::string saidZero(const std::string &function) {
  return function == "step_decay" ? " + 0 * (t + every)" : "";
}

static const typed::Program &prelude() {
  static const Model *model = new Model("dim D = 1\n");
  return *model->program;
}

static bool areMet(const std::vector<typed::Requirement> &requirements,
                   const typed::DimEnvironment &sizes) {
  return llvm::all_of(requirements, [&](const auto &requirement) {
    return typed::holds(requirement.left.evaluate(sizes), requirement.relation,
                        requirement.right.evaluate(sizes));
  });
}

/// Sizes for generics; small ones if there are many, for settings also 0.
static void drawSizes(const std::vector<const typed::Symbol *> &generics,
                      Random &random, typed::DimEnvironment &sizes) {
  const int64_t most = generics.size() > 2 ? 2 : 5;
  for (const typed::Symbol *generic : generics) {
    if (generic->kind != typed::Symbol::Pack) {
      bool isSetting = generic->kind == typed::Symbol::Whole;
      sizes.dims[generic] =
          isSetting ? drawWhole(random, 0, 2) : drawWhole(random, 1, most);
      continue;
    }
    std::vector<int64_t> &pack = sizes.packs[generic];
    pack.clear();
    for (int64_t rank = drawWhole(random, 0, 2); rank > 0; --rank)
      pack.push_back(drawWhole(random, 1, 4));
  }
}

static std::string typeText(const typed::Type &type,
                            const typed::DimEnvironment &sizes) {
  std::string text = type.element == typed::ElementType::Index
                         ? fmt::format("index({})", type.bound.evaluate(sizes))
                         : typed::str(type.element);
  std::vector<int64_t> shape = typed::evaluate(type.shape, sizes);
  return shape.empty() ? text
                       : fmt::format("{}[{}]", text, fmt::join(shape, ", "));
}

/// `, axis = 1` if the function works along an axis.
static std::string axisText(const typed::Function &function,
                            const typed::DimEnvironment &sizes) {
  int64_t position = 0;
  for (const typed::Axis &entry : function.arguments[0]->type.shape) {
    if (entry.isPack())
      position += sizes.packs.at(entry.pack).size();
    else if (entry.dim.symbol() && entry.dim.symbol()->isAxis)
      return fmt::format(", axis = {}", position);
    else
      ++position;
  }
  return "";
}

/// A file whose `f` calls `name`: a function, or a layer of that module.
static std::string modelText(const std::string &name, const std::string &layer,
                             const typed::Function &function,
                             const typed::DimEnvironment &sizes) {
  std::vector<std::string> parameters, arguments;
  for (const typed::Local *argument : function.arguments) {
    parameters.push_back(argument->name + ": " +
                         typeText(argument->type, sizes));
    arguments.push_back(argument->name);
  }
  return fmt::format("{}export fn f({}) -> {} = {}({}{}){}\n", layer,
                     fmt::join(parameters, ", "),
                     typeText(function.result, sizes),
                     layer.empty() ? name : "l", fmt::join(arguments, ", "),
                     axisText(function, sizes), saidZero(name));
}

static bool isElementwise(const typed::Function &function) {
  for (const typed::Local *argument : function.arguments)
    if (argument->type.shape.size() != 1 || !argument->type.shape[0].isPack() ||
        !(argument->type == function.result))
      return false;
  return true;
}

static Sample sampleOf(const std::string &name, const typed::Module *layer,
                       const typed::Function &function, unsigned number,
                       FloatType real, bool training) {
  Random random(number + 1);
  typed::DimEnvironment sizes;
  std::string declaration;
  do {
    if (layer)
      drawSizes(layer->generics, random, sizes);
    drawSizes(function.generics, random, sizes);
  } while ((layer && !areMet(layer->requirements, sizes)) ||
           !areMet(function.requirements, sizes));
  if (layer) {
    std::vector<std::string> dims, settings;
    for (const typed::Symbol *generic : layer->generics) {
      int64_t size = sizes.dims.at(generic);
      if (generic->kind == typed::Symbol::Whole)
        settings.push_back(fmt::format("{} = {}", generic->name, size));
      else
        dims.push_back(std::to_string(size));
    }
    declaration = fmt::format(
        "layer l = {}{}({})\n", name,
        dims.empty() ? "" : fmt::format("[{}]", fmt::join(dims, ", ")),
        fmt::join(settings, ", "));
  }
  Model model(modelText(name, declaration, function, sizes));

  Sample sample = sampleOf(name, model, domains(), real, training);
  sample.isElementwise = isElementwise(function);
  return sample;
}

std::vector<Subject> preludeSubjects() {
  std::vector<Subject> subjects;
  auto add = [&](const std::string &name, const typed::Module *layer,
                 const typed::Function &function, bool training = false) {
    subjects.push_back({name + (training ? "_training" : ""),
                        [=, &function](unsigned number, FloatType real) {
                          return sampleOf(name, layer, function, number, real,
                                          training);
                        }});
  };
  for (const typed::Function *function : prelude().files.front()->functions)
    if (function->isExported)
      add(function->name, nullptr, *function);
  for (const typed::Module *module : prelude().modules)
    if (module->isExported)
      for (const typed::Function *function : module->functions)
        if (function->name == "call") {
          add(module->name, module, *function);
          if (!module->states.empty())
            add(module->name, module, *function, /*training=*/true);
        }
  return subjects;
}

} // namespace gradus::property

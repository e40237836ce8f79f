// See Instances.h.
#include "compiler/construct/Instances.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::construct {

Instances::Instances(const typed::Program &program) {
  for (const typed::Module *file : program.files) {
    files[file] = &make(file, nullptr, nullptr, file->path);
  }
}

Instance &Instances::make(const typed::Module *module, const Instance *parent,
                          const typed::LayerDecl *layer, std::string path) {
  Instance &instance = *instances.emplace_back(std::make_unique<Instance>());
  instance.module = module;
  instance.parent = parent;
  instance.layer = layer;
  instance.path = std::move(path);
  instance.firstParameter = allParameters.size();
  if (layer)
    for (size_t i = 0; i < layer->dims.size(); ++i)
      instance.dims.dims[module->generics[i]] =
          layer->dims[i].evaluate(parent->dims);
  for (const typed::Param *param : module->params)
    allParameters.push_back(
        {instance.member(param->name), param, &instance,
         typed::evaluate(param->type.shape, instance.dims)});
  for (const typed::State *state : module->states)
    allStates.push_back({instance.member(state->name), state, &instance,
                         typed::evaluate(state->type.shape, instance.dims)});
  for (const typed::LayerDecl *inner : module->layers) {
    std::vector<const Instance *> made;
    std::string name = instance.member(inner->name);
    if (!inner->count)
      made.push_back(&make(inner->module, &instance, inner, name));
    else
      for (int64_t i = 0; i < inner->count->evaluate(instance.dims); ++i)
        made.push_back(&make(inner->module, &instance, inner,
                             name + "." + std::to_string(i)));
    layers[{&instance, inner}] = std::move(made);
  }
  instance.endParameter = allParameters.size();
  return instance;
}

const Instance &Instances::ofFile(const typed::Module *file) const {
  return *files.at(file);
}

const Instance &Instances::find(const Instance &self,
                                const typed::InstancePath &path,
                                const typed::DimEnvironment &dims) const {
  const Instance *instance = path.file ? &ofFile(path.file) : &self;
  for (const auto &[layer, element] : path.layers)
    instance = layers.at({instance, layer})
                   .at(element ? size_t(element->evaluate(dims)) : 0);
  return *instance;
}

std::span<const Parameter>
Instances::parameters(const Instance &self, const typed::InstancePath &path,
                      const typed::DimEnvironment &dims) const {
  // Of an array, `find` gives the first element.
  const Instance &first = find(self, path, dims);
  const Instance &last =
      path.isArray()
          ? *layers.at({first.parent, path.layers.back().layer}).back()
          : first;
  return std::span(allParameters)
      .subspan(first.firstParameter, last.endParameter - first.firstParameter);
}

const Parameter &Instances::parameter(const Instance &instance,
                                      const typed::Param *declaration) const {
  // An instance's own come first, one for each declaration.
  size_t position = std::ranges::find(instance.module->params, declaration) -
                    instance.module->params.begin();
  return allParameters.at(instance.firstParameter + position);
}

std::optional<double> Instances::evaluate(const typed::Expr &expr,
                                          const Instance &instance) const {
  // A scalar spread over a shape has the value of the scalar.
  if (auto *broadcast = expr.as<typed::Broadcast>())
    return evaluate(*broadcast->operand, instance);
  typed::ConstantEnvironment environment;
  environment.dims = &instance.dims;
  environment.local = [&](const typed::Local *local) {
    return setting(local, instance);
  };
  return typed::evaluate(expr, environment);
}

std::optional<std::vector<double>>
Instances::elements(const typed::Expr &expr, const Instance &instance) const {
  if (auto *reshape = expr.as<typed::Reshape>())
    return elements(*reshape->operand, instance);
  if (expr.as<typed::Eye>()) {
    size_t size = typed::evaluate(expr.type.shape, instance.dims).front();
    std::vector<double> result(size * size);
    for (size_t i = 0; i < size; ++i)
      result[i * size + i] = 1;
    return result;
  }
  auto *concat = expr.as<typed::Concat>();
  if (!concat) {
    auto number = evaluate(expr, instance);
    return number ? std::optional(std::vector<double>{*number}) : std::nullopt;
  }
  std::vector<double> result;
  for (const typed::Expr *operand : concat->operands) {
    auto part = elements(*operand, instance);
    if (!part)
      return std::nullopt;
    int64_t count = 1;
    for (int64_t size : typed::evaluate(operand->type.shape, instance.dims))
      count *= size;
    // One that stands for all.
    if (part->size() == 1)
      part->resize(count, part->front());
    result.insert(result.end(), part->begin(), part->end());
  }
  return result;
}

std::optional<double> Instances::setting(const typed::Local *local,
                                         const Instance &instance) const {
  const auto &config = instance.module->config;
  for (size_t i = 0; i < config.size(); ++i)
    if (config[i] == local)
      return evaluate(*instance.layer->config[i], *instance.parent);
  return std::nullopt;
}

} // namespace gradus::construct

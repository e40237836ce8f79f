// See Instances.h.
#include "compiler/construct/Instances.h"
#include "compiler/check/Constants.h"

namespace gradus::construct {

Instances::Instances(const typed::Program &program) {
  for (const typed::Module *file : program.files) {
    files[file] = &make(file, nullptr, nullptr);
  }
}

Instance &Instances::make(const typed::Module *module, const Instance *parent,
                          const typed::LayerDecl *layer) {
  Instance &instance = *instances.emplace_back(std::make_unique<Instance>());
  instance.module = module;
  instance.parent = parent;
  instance.layer = layer;
  instance.path = module->path;
  if (layer) {
    instance.path = parent->member(layer->name);
    for (size_t i = 0; i < layer->dims.size(); ++i)
      instance.dims.dims[module->generics[i]] =
          layer->dims[i].evaluate(parent->dims);
  }
  for (const typed::Param *param : module->params)
    allParameters.push_back(
        {instance.member(param->name), param, &instance,
         typed::evaluate(param->type.shape, instance.dims)});
  for (const typed::LayerDecl *inner : module->layers)
    layers[{&instance, inner}] = &make(inner->module, &instance, inner);
  return instance;
}

const Instance &Instances::ofFile(const typed::Module *file) const {
  return *files.at(file);
}

const Instance &Instances::find(const Instance &self,
                                const typed::InstancePath &path) const {
  const Instance *instance = path.file ? &ofFile(path.file) : &self;
  for (const typed::LayerDecl *layer : path.layers)
    instance = layers.at({instance, layer});
  return *instance;
}

const Parameter &Instances::parameter(const Instance &instance,
                                      const typed::Param *declaration) const {
  for (const Parameter &parameter : allParameters)
    if (parameter.instance == &instance && parameter.declaration == declaration)
      return parameter;
  std::abort();
}

std::optional<double> Instances::evaluate(const typed::Expr &expr,
                                          const Instance &instance) const {
  // A scalar spread over a shape has the value of the scalar.
  if (auto *broadcast = expr.as<typed::Broadcast>())
    return evaluate(*broadcast->operand, instance);
  typed::ConstantEnvironment environment;
  environment.dims = &instance.dims;
  environment.local = [&](const typed::Local *local) -> std::optional<double> {
    const auto &config = instance.module->config;
    for (size_t i = 0; i < config.size(); ++i)
      if (config[i] == local)
        return evaluate(*instance.layer->config[i], *instance.parent);
    return std::nullopt;
  };
  return typed::evaluate(expr, environment);
}

} // namespace gradus::construct

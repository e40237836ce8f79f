// The instances of a program: the tree that layers make of modules, with the
// numbers of every dim and the paths of all parameters. Takes a typed program;
// used by all of construct.
#pragma once

#include "compiler/Diagnostics.h"
#include "compiler/check/TypedAst.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gradus::construct {

/// A module with numbers for its dims and a place in the model.
struct Instance {
  const typed::Module *module = nullptr;
  /// Null for a file.
  const Instance *parent = nullptr;
  const typed::LayerDecl *layer = nullptr;
  /// `fc1`, `block.att` or `blocks.0.att`; of a file its path, mostly empty.
  std::string path;
  typed::DimEnvironment dims;
  /// Its parameters and those of its layers, as positions in
  /// Instances::parameters().
  size_t firstParameter = 0, endParameter = 0;

  /// The path of a member: `fc1.W`.
  std::string member(const std::string &name) const {
    return path.empty() ? name : path + "." + name;
  }
};

/// One parameter of the model.
struct Parameter {
  /// `fc1.W`
  std::string name;
  const typed::Param *declaration = nullptr;
  const Instance *instance = nullptr;
  std::vector<int64_t> shape;
};

/// One state of the model.
struct StateVariable {
  /// `bn.mean`
  std::string name;
  const typed::State *declaration = nullptr;
  const Instance *instance = nullptr;
  std::vector<int64_t> shape;
};

class Instances {
public:
  explicit Instances(const typed::Program &program);

  /// The only instance of a file.
  const Instance &ofFile(const typed::Module *file) const;
  /// The instance a path means for code that runs in `self`; `dims` are those
  /// of the code.
  const Instance &find(const Instance &self, const typed::InstancePath &path,
                       const typed::DimEnvironment &dims) const;
  /// All parameters, in order of declaration: those of an instance, then those
  /// of its layers.
  const std::vector<Parameter> &parameters() const { return allParameters; }
  /// All states, in the same order.
  const std::vector<StateVariable> &states() const { return allStates; }
  /// Those of the instance, or the array of instances, that a path means.
  std::span<const Parameter>
  parameters(const Instance &self, const typed::InstancePath &path,
             const typed::DimEnvironment &dims) const;
  const Parameter &parameter(const Instance &instance,
                             const typed::Param *declaration) const;
  /// A scalar that is fixed by dims and config, as a number.
  std::optional<double> evaluate(const typed::Expr &expr,
                                 const Instance &instance) const;

  /// The elements of a tensor that are fixed so, in row-major order; one if all
  /// are the same.
  std::optional<std::vector<double>> elements(const typed::Expr &expr,
                                              const Instance &instance) const;
  /// The number of a setting of the module of an instance.
  std::optional<double> setting(const typed::Local *local,
                                const Instance &instance) const;

private:
  Instance &make(const typed::Module *module, const Instance *parent,
                 const typed::LayerDecl *layer, std::string path);

  std::vector<std::unique_ptr<Instance>> instances;
  std::map<const typed::Module *, const Instance *> files;
  /// The elements of an array, or the one instance.
  std::map<std::pair<const Instance *, const typed::LayerDecl *>,
           std::vector<const Instance *>>
      layers;
  std::vector<Parameter> allParameters;
  std::vector<StateVariable> allStates;
};

} // namespace gradus::construct

// The instances of a program: the tree that layers make of modules, with the
// numbers of every dim and the paths of all parameters. Takes a typed program;
// used by all of construct.
#pragma once

#include "compiler/Diagnostics.h"
#include "compiler/check/TypedAst.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradus::construct {

/// A module with numbers for its dims and a place in the model.
struct Instance {
  const typed::Module *module = nullptr;
  /// Null for a file.
  const Instance *parent = nullptr;
  const typed::LayerDecl *layer = nullptr;
  /// `fc1` or `block.att`; of a file its path, mostly empty.
  std::string path;
  typed::DimEnvironment dims;

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

class Instances {
public:
  explicit Instances(const typed::Program &program);

  /// The only instance of a file.
  const Instance &ofFile(const typed::Module *file) const;
  /// The instance a path means for code that runs in `self`.
  const Instance &find(const Instance &self,
                       const typed::InstancePath &path) const;
  /// All parameters, in order of declaration, layers in their places.
  const std::vector<Parameter> &parameters() const { return allParameters; }
  const Parameter &parameter(const Instance &instance,
                             const typed::Param *declaration) const;
  /// A scalar that is fixed by dims and config, as a number.
  std::optional<double> evaluate(const typed::Expr &expr,
                                 const Instance &instance) const;

private:
  Instance &make(const typed::Module *module, const Instance *parent,
                 const typed::LayerDecl *layer);

  std::vector<std::unique_ptr<Instance>> instances;
  std::map<const typed::Module *, const Instance *> files;
  std::map<std::pair<const Instance *, const typed::LayerDecl *>,
           const Instance *>
      layers;
  std::vector<Parameter> allParameters;
};

} // namespace gradus::construct

// Samples out of model files: `f`, the last function of a text in the language.
#pragma once

#include "test/unit/property/Sample.h"

#include "compiler/ast/SourceManager.h"
#include "compiler/check/Checker.h"

#include <map>
#include <memory>

namespace gradus::property {

/// A checked model file with what it refers to. Throws if it has errors.
struct Model {
  explicit Model(const std::string &text);

  SourceManager sources;
  Diagnostics diagnostics;
  std::unique_ptr<const typed::Program> program;
};

/// By `name.argument`, numbers for arguments that do not take all.
using Domains = std::map<std::string, Numbers>;

/// The last function of the model, which it exports.
Sample sampleOf(const std::string &name, Model &model, const Domains &domains,
                mlir::FloatType real, bool training = false);

} // namespace gradus::property

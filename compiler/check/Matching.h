// One call while its arguments are matched to parameters: what CheckCalls.cpp
// and CheckFunctionArguments.cpp share. Internal to check.
#pragma once

#include "compiler/check/Body.h"

namespace gradus::typed {

/// One call while it is checked.
struct Body::Matching {
  CallSite &site;
  const typed::Function *function;
  const InstancePath &instance;
  /// The last layer of the path; null for free functions.
  const LayerDecl *layer;
  /// Generics of the module, then also of the function, in the caller's terms.
  Substitution module, all;
  /// Per parameter: its value, and where it stands (null for a default).
  std::vector<const Expr *> values;
  std::vector<const CallArgument *> written;
  /// `over =` or `axis =`.
  const CallArgument *axisArgument = nullptr;
  /// Of a call over several axes: these, which are one in the call.
  Shape merged;
  /// Which parameter bound a generic.
  std::unordered_map<const Symbol *, unsigned> boundBy;

  std::string name() const { return shortened(site.name()); }
};

} // namespace gradus::typed

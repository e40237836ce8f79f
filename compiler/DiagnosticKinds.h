// What a stage can report: a constant for each row of Diagnostics.def.
#pragma once

#include "compiler/Diagnostics.h"

namespace gradus {

/// The kinds of diagnostics: `diag::Unclosed` and so on, one constant for each
/// row of Diagnostics.def, of a type of its own so that the arguments of the
/// headline are checked when we are compiled.
namespace diag {
#define DIAGNOSTIC(CODE, NAME, TEXT)                                           \
  inline constexpr struct NAME##Kind {                                         \
    static constexpr std::string_view code = #CODE;                            \
    static constexpr std::string_view name = #NAME;                            \
    static constexpr const char text[] = TEXT;                                 \
  } NAME;
#include "compiler/Diagnostics.def"
} // namespace diag

} // namespace gradus

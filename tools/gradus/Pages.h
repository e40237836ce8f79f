// The pages of `gradus explain`: docs/errors/CODE.md, compiled in.
#pragma once

#include <string_view>

namespace gradus {

/// The page of an error code; empty if there is none.
std::string_view pageOf(std::string_view code);

} // namespace gradus

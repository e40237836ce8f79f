// The arena of a step as a picture: kernels to the right, bytes upwards.
#pragma once

#include "compiler/Account.h"

namespace gradus {

/// An SVG document: each value a rectangle over the kernels during which it is
/// alive and the bytes where it lies; a tooltip says what it is. Below them
/// the bytes that are alive at each kernel.
std::string arenaPicture(const StepAccount &account, const std::string &title);

} // namespace gradus

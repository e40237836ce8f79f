// Samples of the ops on whole matrices, for OpSubjects.cpp.
#pragma once

#include "test/unit/property/Draft.h"

namespace gradus::property {

/// Of general matrices, and of symmetric ones if its number is odd.
Sample solveSample(Draft &draft);
Sample choleskySample(Draft &draft);

} // namespace gradus::property

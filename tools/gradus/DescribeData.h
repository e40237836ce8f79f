// A checked data declaration -> what the readers of the runtime take.
#pragma once

#include "compiler/construct/Construct.h"
#include "runtime/data/Schema.h"

namespace gradus {

/// How an element type of the language lies in memory.
Element elementOf(typed::ElementType element, Precision precision);

/// The fields with the sizes of their dims, and the sources of all splits.
DataInfo describeData(const typed::Data &data, Precision precision);

} // namespace gradus

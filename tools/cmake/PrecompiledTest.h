// What unit tests of parts without MLIR include, compiled once.
#include "tools/cmake/PrecompiledStd.h"

#include <gtest/gtest.h>

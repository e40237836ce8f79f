// The last step of `graph.native_call`; where such calls come from: see
// GraphToLinalg.h.
#pragma once

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace gradus::lower {

/// native_call: a call of the LLVM dialect with addresses.
void populateNativeCallToLLVMPatterns(const mlir::LLVMTypeConverter &types,
                                      mlir::RewritePatternSet &patterns);

} // namespace gradus::lower

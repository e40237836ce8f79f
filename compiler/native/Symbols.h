// The functions compiled code may call (Symbols.def), by name and address. They
// are bound one by one: compiled code sees nothing else of the process.
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

namespace gradus::native {

/// Whether compiled code may call a function of this name.
bool isKnownSymbol(llvm::StringRef name);

/// Whether a function of this name is of a library that a model names, as in
/// `libfast.so:fast`.
bool isOfLibrary(llvm::StringRef name);

/// Calls `visit` with the name and address of each function of Symbols.def.
void forEachSymbol(
    llvm::function_ref<void(llvm::StringRef name, void *address)> visit);

} // namespace gradus::native

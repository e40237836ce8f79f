// The table of Symbols.def with the addresses of this process's functions.
#include "compiler/native/Symbols.h"

// <cmath> overloads most of these names; here each is declared once more under
// a name of ours that stands for the C symbol.
extern "C" {
#define GRADUS_SYMBOL(name) void gradus_c_##name() __asm__(#name);
#include "compiler/native/Symbols.def"
}

namespace gradus::native {

bool isKnownSymbol(llvm::StringRef name) {
  static constexpr llvm::StringLiteral names[] = {
#define GRADUS_SYMBOL(name) #name,
#include "compiler/native/Symbols.def"
  };
  for (llvm::StringRef known : names)
    if (known == name)
      return true;
  return false;
}

bool isOfLibrary(llvm::StringRef name) { return name.contains(':'); }

void forEachSymbol(llvm::function_ref<void(llvm::StringRef, void *)> visit) {
#define GRADUS_SYMBOL(name)                                                    \
  visit(#name, reinterpret_cast<void *>(&gradus_c_##name));
#include "compiler/native/Symbols.def"
}

} // namespace gradus::native

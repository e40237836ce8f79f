// See Origins.h.
#include "dialect/Origins.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

namespace gradus::graph {

Location marked(Location location, StringRef mark) {
  MLIRContext *context = location.getContext();
  return FusedLoc::get({location}, StringAttr::get(context, mark), context);
}

bool isMarked(Location location, StringRef mark) {
  return location
      ->walk([&](Location part) {
        auto fused = dyn_cast<FusedLoc>(part);
        auto found =
            fused ? dyn_cast_or_null<StringAttr>(fused.getMetadata()) : nullptr;
        return found && found == mark ? WalkResult::interrupt()
                                      : WalkResult::advance();
      })
      .wasInterrupted();
}

Location inlinedAt(Location location, Location call) {
  if (auto named = dyn_cast<NameLoc>(call))
    call = named.getChildLoc();
  if (isa<UnknownLoc>(call))
    return location;
  return CallSiteLoc::get(location, call);
}

} // namespace gradus::graph

// What a compiler holds in memory without need while its result runs.
#pragma once

namespace gradus::native {

/// Gives back to the system the pages of this program and its libraries that
/// hold what their files hold, code and constants, and what the heap does not
/// use. Pages that are used again come back from the files, which the system
/// keeps in memory if it has enough. A hundred megabytes of LLVM and MLIR,
/// relocated once or needed to compile, are not held while a model trains.
void giveBackPages();

} // namespace gradus::native

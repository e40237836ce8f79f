// The compiler as a whole: a checked program -> functions in machine code. Each
// is construct, differentiate, fuse, lower, native, in this order.
#pragma once

#include "compiler/Account.h"
#include "compiler/CheckedOp.h"
#include "compiler/Diagnostics.h"
#include "compiler/Orders.h"
#include "compiler/construct/Construct.h"
#include "runtime/Abi.h"
#include "runtime/Libraries.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "llvm/ADT/STLFunctionalExtras.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace gradus {

class CacheFolder;
class Timing;

/// What `--emit` can show: the rows of Stages.def.
enum class Stage : uint8_t {
#define STAGE(NAME, FLAG, SHOWS) NAME,
#include "compiler/Stages.def"
};

struct CompileOptions {
  Precision precision = Precision::F32;
  /// Plain loops, nothing fused: the oracle of the tests.
  bool reference = false;
  /// No machine code: functions are evaluated op by op in double precision.
  /// They need the context they were made in.
  bool interpret = false;
  /// Bytes that the loops of a function may keep for its derivatives; unset:
  /// 1 GiB.
  std::optional<int64_t> memoryBudget = {};
  /// Runs kernels with enough to do; null: one thread runs all.
  std::shared_ptr<Team> team = {};
  /// Where the functions of `extern fn` are found; null: they are not allowed.
  std::shared_ptr<Libraries> libraries = {};
  /// The functions that `graph.extern` calls, by `LIBRARY:SYMBOL`: what
  /// `compileGraph` needs of those.
  std::map<std::string, void *> externs = {};
  /// The processor, as LLVM calls it, that `emit` compiles for; empty: this
  /// one. Whatever is to run is compiled for this one.
  std::string cpu = {};
  /// Where code that was compiled before is found; null: nowhere.
  std::shared_ptr<const CacheFolder> cache = {};
  /// What measures the stages; null: nothing does.
  std::shared_ptr<Timing> timing = {};
};

/// Functions by their names.
using Functions = std::map<std::string, CompiledFunction>;

/// The public functions of a `graph` module, derivatives to be taken: the
/// stages from differentiate on. Nothing after an error, which passes have
/// reported; throws if the fault is not the module's. `title` is what the cache
/// and `--timing` call them. Shows `planned` the functions with their memory
/// plans; then nothing comes from the cache.
std::optional<Functions>
compileGraph(mlir::OwningOpRef<mlir::ModuleOp> graph,
             const CompileOptions &options, const std::string &title = "",
             llvm::function_ref<void(mlir::ModuleOp)> planned = {});

/// Compiles the functions of one program. One function after the other: an
/// object must not be used by two threads at once.
class Compiler {
public:
  /// `program` outlives this.
  Compiler(const typed::Program &program, const CompileOptions &options);
  ~Compiler();

  /// A state of an optimizer for one parameter.
  struct Slot {
    BufferInfo buffer;
    double initial = 0;
  };
  /// The slots that the step reads and updates. They are the same for every
  /// batch, but not every batch may be allowed; here as below.
  std::vector<Slot> slots(int64_t batch, Diagnostics &diagnostics);
  /// How the partial results of batches combine (`sum` or `max`), by path.
  std::map<std::string, std::string> partials(int64_t batch,
                                              Diagnostics &diagnostics);

  /// `step`. Empty after an error, here as below.
  Functions step(int64_t batch, Diagnostics &diagnostics);
  /// The same, and what it costs.
  Functions step(int64_t batch, Diagnostics &diagnostics, StepAccount &account);
  /// What `step` would do, and what its loops would keep, if they were allowed
  /// any amount of memory.
  struct Unbounded {
    Work work;
    std::vector<KeptRounds> kept;
  };
  Unbounded unbounded(int64_t batch, Diagnostics &diagnostics);
  /// Bytes that loops may keep, in force or by default.
  int64_t memoryBudget() const;
  /// `evaluate` and `finish`.
  Functions reports(int64_t batch, Diagnostics &diagnostics);
  /// The exported function under its own name.
  Functions exported(const typed::Function &function,
                     const typed::DimEnvironment &dims,
                     Diagnostics &diagnostics);

  /// The two functions of each of `checks`, which it finds. With `only`, those
  /// of that one alone.
  Functions checks(int64_t batch, int order,
                   std::vector<construct::CheckedDerivative> &checks,
                   Diagnostics &diagnostics,
                   std::optional<size_t> only = std::nullopt);

  /// The ops that one of these derivatives runs through, and the functions to
  /// check each of them by itself (see OpChecks.h).
  Functions ops(const construct::CheckedDerivative &of, int64_t batch,
                std::vector<CheckedOp> &ops, Diagnostics &diagnostics);

  /// The functions that cannot be differentiated without end.
  std::vector<DerivativeLimit> derivativeLimits(int64_t batch,
                                                Diagnostics &diagnostics);

  /// Warns of parameters that the step does not move (see Unmoved.h).
  void warnOfUnmoved(int64_t batch, Diagnostics &diagnostics);

  /// Prints `stage` of the step on `batch` rows.
  void emit(Stage stage, int64_t batch, llvm::raw_ostream &out,
            Diagnostics &diagnostics);

private:
  /// `what` of the program is measured and kept under the name of its file.
  std::string titleOf(const std::string &what) const;
  Functions compile(mlir::OwningOpRef<mlir::ModuleOp> module,
                    const std::string &title, Diagnostics &diagnostics,
                    llvm::function_ref<void(mlir::ModuleOp)> planned = {});

  const typed::Program &program;
  CompileOptions options;
  std::unique_ptr<mlir::MLIRContext> owned;
  mlir::MLIRContext &context;
};

} // namespace gradus

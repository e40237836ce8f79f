// Lowered kernels (LLVM dialect, from compiler/lower/Lower.h) -> object files
// -> machine code in memory, kept alive by shared pointer. Next: runtime/Abi.h
// calls the entries.
#pragma once

#include "compiler/native/Target.h"
#include "runtime/Abi.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gradus::native {

struct NativeOptions {
  Processor processor = thisProcessor();
  /// Scheduled kernels: a few cleanups, their loops are final. Reference
  /// kernels: LLVM's O1.
  bool optimise = true;
  /// The functions of libraries that kernels call, by `LIBRARY:SYMBOL`.
  std::map<std::string, void *> externs = {};
};

/// Machine code of one or more kernels. It lives as long as this object:
/// `CompiledFunction::code` holds it.
class Code {
public:
  virtual ~Code();

  /// The entry of the kernel of that name; null if there is none.
  virtual KernelEntry lookup(llvm::StringRef kernel) const = 0;

  /// Whether it has to be run by all workers.
  virtual bool isSplit(llvm::StringRef kernel) const = 0;

  /// Tells `call` what is known of the kernel of its name.
  void link(KernelCall &call) const {
    call.entry = lookup(call.name);
    call.isSplit = isSplit(call.name);
  }

  /// Bytes of scratch the kernel wants as its last operand, 64-byte aligned; 0:
  /// it has no such operand.
  virtual int64_t scratchBytes(llvm::StringRef kernel) const = 0;
};

/// A kernel as an object file, with what its caller has to know. It refers to
/// functions of others by name only, so that any process can link it.
struct KernelObject {
  std::string name;
  /// The bytes of the file.
  std::string object;
  /// See `Code::scratchBytes` and `Code::isSplit`.
  int64_t scratchBytes = 0;
  bool isSplit = false;
};

/// Compiles a module whose members are modules of one kernel each, on all
/// threads of its context; the kernels in their order.
llvm::Expected<std::vector<KernelObject>>
emitKernels(mlir::ModuleOp lowered, const NativeOptions &options);

/// Loads kernels into this process; `externs` as in NativeOptions.
llvm::Expected<std::shared_ptr<Code>>
link(const std::vector<KernelObject> &kernels,
     const std::map<std::string, void *> &externs);

/// Both. May be called from several threads at once for modules of different
/// contexts.
llvm::Expected<std::shared_ptr<Code>> compile(mlir::ModuleOp lowered,
                                              const NativeOptions &options);

/// Prints the kernels as one file of assembly (`--emit=asm`).
llvm::Error printAssembly(mlir::ModuleOp lowered, const NativeOptions &options,
                          llvm::raw_ostream &out);

} // namespace gradus::native

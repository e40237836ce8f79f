// Each kernel becomes an LLVM module of its own, optimised and emitted on its
// own thread; the objects, new or kept from another process, are linked into
// one ORC session.
#include "compiler/native/Jit.h"

#include "compiler/lower/Passes.h"
#include "compiler/native/Symbols.h"

#include "mlir/IR/Threading.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopRotation.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

namespace gradus::native {

Code::~Code() = default;

namespace {

/// Kernels come with their loops tiled and unrolled and in vectors. What LLVM's
/// default pipelines add to that is time: several times as much for the same
/// steps.
void optimiseModule(llvm::Module &module, llvm::TargetMachine &machine,
                    const NativeOptions &options) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  if (!options.optimise) {
    builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O1)
        .run(module, modules);
    return;
  }
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(llvm::InstCombinePass());
  // Only now are blocks of random numbers seen to be equal.
  passes.addPass(llvm::EarlyCSEPass());
  llvm::LoopPassManager loopPasses;
  loopPasses.addPass(llvm::LoopRotatePass());
  loopPasses.addPass(llvm::LICMPass(llvm::LICMOptions()));
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(loopPasses),
                                                       /*UseMemorySSA=*/true));
  passes.addPass(llvm::SimplifyCFGPass());
  llvm::createModuleToFunctionPassAdaptor(std::move(passes))
      .run(module, modules);
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
machineFor(const NativeOptions &options) {
  return createMachine(options.processor, options.optimise
                                              ? llvm::CodeGenOptLevel::Default
                                              : llvm::CodeGenOptLevel::Less);
}

/// One kernel's module in LLVM IR, optimised.
llvm::Expected<std::unique_ptr<llvm::Module>>
translate(mlir::ModuleOp kernel, const NativeOptions &options,
          llvm::TargetMachine &machine, llvm::LLVMContext &context) {
  std::unique_ptr<llvm::Module> module =
      mlir::translateModuleToLLVMIR(kernel, context);
  if (!module)
    return llvm::createStringError("a kernel has no form in LLVM IR");
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : *module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.addFnAttr("prefer-vector-width", "512");
    function.setDoesNotThrow();
  }
  optimiseModule(*module, machine, options);
  return module;
}

llvm::Error emit(llvm::Module &module, llvm::TargetMachine &machine,
                 llvm::CodeGenFileType kind, llvm::raw_pwrite_stream &out) {
  llvm::legacy::PassManager codegen;
  if (machine.addPassesToEmitFile(codegen, out, nullptr, kind))
    return llvm::createStringError("this processor's back end emits no code");
  codegen.run(module);
  return llvm::Error::success();
}

/// One kernel's module -> an object file.
llvm::Error emitObject(mlir::ModuleOp kernel, const NativeOptions &options,
                       llvm::SmallVectorImpl<char> &bytes) {
  auto machine = machineFor(options);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto module = translate(kernel, options, **machine, context);
  if (!module)
    return module.takeError();
  llvm::raw_svector_ostream out(bytes);
  return emit(**module, **machine, llvm::CodeGenFileType::ObjectFile, out);
}

/// Translation looks up interfaces that must be there before threads start.
void prepareTranslation(mlir::MLIRContext &context) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

/// The kernels of `lowered`, emitted in parallel, in their order.
llvm::Error emitObjects(mlir::ModuleOp lowered, const NativeOptions &options,
                        std::vector<llvm::SmallVector<char, 0>> &emitted) {
  mlir::MLIRContext *context = lowered.getContext();
  prepareTranslation(*context);
  llvm::SmallVector<mlir::ModuleOp> kernels(lowered.getOps<mlir::ModuleOp>());
  emitted.resize(kernels.size());
  std::vector<std::string> messages(kernels.size());
  mlir::parallelFor(context, 0, kernels.size(), [&](size_t i) {
    if (llvm::Error error = emitObject(kernels[i], options, emitted[i]))
      messages[i] = llvm::toString(std::move(error));
  });
  for (const std::string &message : messages)
    if (!message.empty())
      return llvm::createStringError(message);
  return llvm::Error::success();
}

class JitCode : public Code {
public:
  KernelEntry lookup(llvm::StringRef kernel) const override {
    auto found = kernels.find(kernel);
    return found == kernels.end() ? nullptr : found->second.entry;
  }
  bool isSplit(llvm::StringRef kernel) const override {
    auto found = kernels.find(kernel);
    return found != kernels.end() && found->second.isSplit;
  }
  int64_t scratchBytes(llvm::StringRef kernel) const override {
    auto found = kernels.find(kernel);
    return found == kernels.end() ? 0 : found->second.scratchBytes;
  }

  struct Kernel {
    KernelEntry entry = nullptr;
    int64_t scratchBytes = 0;
    bool isSplit = false;
  };
  std::unique_ptr<llvm::orc::LLJIT> session;
  llvm::StringMap<Kernel> kernels;
};

llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>>
openSession(const std::map<std::string, void *> &externs) {
  auto machine = createMachine(thisProcessor(), llvm::CodeGenOptLevel::Default);
  if (!machine)
    return machine.takeError();
  llvm::orc::JITTargetMachineBuilder builder((*machine)->getTargetTriple());
  auto session = llvm::orc::LLJITBuilder()
                     .setJITTargetMachineBuilder(builder)
                     .setDataLayout((*machine)->createDataLayout())
                     .setLinkProcessSymbolsByDefault(false)
                     .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                     .create();
  if (!session)
    return session.takeError();
  llvm::orc::SymbolMap symbols;
  auto define = [&](llvm::StringRef name, void *address) {
    symbols[(*session)->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(address),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  };
  forEachSymbol(define);
  for (const auto &[name, address] : externs)
    define(name, address);
  if (llvm::Error error = (*session)->getMainJITDylib().define(
          llvm::orc::absoluteSymbols(std::move(symbols))))
    return error;
  return session;
}

} // namespace

llvm::Expected<std::vector<KernelObject>>
emitKernels(mlir::ModuleOp lowered, const NativeOptions &options) {
  std::vector<llvm::SmallVector<char, 0>> objects;
  if (llvm::Error error = emitObjects(lowered, options, objects))
    return error;
  std::vector<KernelObject> kernels;
  for (auto [module, object] :
       llvm::zip_equal(lowered.getOps<mlir::ModuleOp>(), objects))
    for (auto function : module.getOps<mlir::LLVM::LLVMFuncOp>()) {
      if (function.isExternal() || !function.isPublic())
        continue;
      auto scratch =
          function->getAttrOfType<mlir::IntegerAttr>(lower::kScratch);
      kernels.push_back({function.getName().str(),
                         {object.begin(), object.end()},
                         scratch ? scratch.getInt() : 0,
                         function->hasAttr(lower::kSplit)});
    }
  return kernels;
}

llvm::Expected<std::shared_ptr<Code>>
link(const std::vector<KernelObject> &kernels,
     const std::map<std::string, void *> &externs) {
  auto session = openSession(externs);
  if (!session)
    return session.takeError();
  auto code = std::make_shared<JitCode>();
  code->session = std::move(*session);
  for (const KernelObject &kernel : kernels)
    if (llvm::Error error = code->session->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(kernel.object, kernel.name)))
      return error;
  for (const KernelObject &kernel : kernels) {
    auto address = code->session->lookup(kernel.name);
    if (!address)
      return address.takeError();
    code->kernels[kernel.name] = {address->toPtr<KernelEntry>(),
                                  kernel.scratchBytes, kernel.isSplit};
  }
  return code;
}

llvm::Expected<std::shared_ptr<Code>> compile(mlir::ModuleOp lowered,
                                              const NativeOptions &options) {
  auto kernels = emitKernels(lowered, options);
  if (!kernels)
    return kernels.takeError();
  return link(*kernels, options.externs);
}

llvm::Error printAssembly(mlir::ModuleOp lowered, const NativeOptions &options,
                          llvm::raw_ostream &out) {
  prepareTranslation(*lowered.getContext());
  auto machine = machineFor(options);
  if (!machine)
    return machine.takeError();
  // One module, so that no two labels are equal and the text can be assembled.
  llvm::LLVMContext context;
  llvm::Module all("kernels", context);
  all.setTargetTriple((*machine)->getTargetTriple());
  all.setDataLayout((*machine)->createDataLayout());
  for (mlir::ModuleOp kernel : lowered.getOps<mlir::ModuleOp>()) {
    auto module = translate(kernel, options, **machine, context);
    if (!module)
      return module.takeError();
    if (llvm::Linker::linkModules(all, std::move(*module)))
      return llvm::createStringError("kernels do not link");
  }
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  if (llvm::Error error =
          emit(all, **machine, llvm::CodeGenFileType::AssemblyFile, stream))
    return error;
  out << text;
  return llvm::Error::success();
}

} // namespace gradus::native

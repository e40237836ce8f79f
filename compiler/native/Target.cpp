// Processors as LLVM target machines.
#include "compiler/native/Target.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/xxhash.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

#include <mutex>

namespace gradus::native {

static void registerTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
#ifdef GRADUS_CROSS
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
#endif
  });
}

/// The widest unit that `has` says the processor has.
static lower::Vectors vectorsOf(llvm::function_ref<bool(llvm::StringRef)> has) {
  if (has("avx512f"))
    return lower::Vectors::Avx512;
  if (has("avx2") && has("fma"))
    return lower::Vectors::Avx2;
  if (has("neon"))
    return lower::Vectors::Neon;
  return lower::Vectors::Baseline;
}

Processor thisProcessor() {
  llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  llvm::SubtargetFeatures features;
  for (auto &[name, isPresent] : present)
    features.AddFeature(name, isPresent);
  return {llvm::sys::getProcessTriple(), llvm::sys::getHostCPUName().str(),
          features.getString(), vectorsOf([&](llvm::StringRef name) {
            return present.lookup(name);
          })};
}

llvm::Expected<Processor> processorNamed(const std::string &cpu) {
  registerTargets();
  for (const char *triple :
       {"x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"}) {
    std::string message;
    llvm::Triple parsed(triple);
    const llvm::Target *target =
        llvm::TargetRegistry::lookupTarget(parsed, message);
    if (!target)
      continue;
    // Without a name first: LLVM would print that it does not know it.
    std::unique_ptr<llvm::MCSubtargetInfo> info(
        target->createMCSubtargetInfo(parsed, "", ""));
    if (!info->isCPUStringValid(cpu))
      continue;
    info.reset(target->createMCSubtargetInfo(parsed, cpu, ""));
    llvm::FeatureBitset present = info->getFeatureBits();
    auto has = [&](llvm::StringRef name) {
      return llvm::any_of(info->getAllProcessorFeatures(), [&](auto &feature) {
        return feature.Key == name && present.test(feature.Value);
      });
    };
    return Processor{triple, cpu, "", vectorsOf(has)};
  }
  return llvm::createStringError("no processor is called `" + cpu + "`");
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const Processor &processor, llvm::CodeGenOptLevel level) {
  registerTargets();
  llvm::Triple triple(processor.triple);
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError("cannot compile for this processor: " +
                                   message);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  // What is decoded once and kept lies in lines of this size: an inner loop
  // that begins in the middle of one takes up to a quarter longer where another
  // thread shares the core.
  options.LoopAlignment = 64;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, processor.cpu, processor.features, options, llvm::Reloc::PIC_,
      std::nullopt, level, /*JIT=*/true));
}

std::string describeHost() {
  Processor processor = thisProcessor();
  return processor.cpu + " " + lower::unitOf(processor.vectors).name.str();
}

std::string identifyHost() {
  Processor processor = thisProcessor();
  std::string all = processor.triple + " " + processor.features;
  return describeHost() + " " + llvm::utohexstr(llvm::xxh3_64bits(all));
}

} // namespace gradus::native

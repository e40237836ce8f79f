// `gradus doctor`: what this machine offers, where things are, and whether
// compiling and writing work. Nothing is measured; what it writes to see that
// it may is gone again.
#include "compiler/CacheFolder.h"
#include "compiler/native/Target.h"
#include "runtime/Text.h"
#include "runtime/run/Machine.h"
#include "tools/gradus/SelfCheck.h"
#include "tools/gradus/Verbs.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/TargetParser/Host.h"

#include <CLI/Version.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/utsname.h>
#include <unistd.h>

namespace gradus {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

/// Packages of data that the examples read.
struct DataPackage {
  const char *name, *folder;
  std::vector<const char *> files;
};
const DataPackage dataPackages[] = {
    {"dataset-fashion-mnist",
     "/usr/share/datasets/fashion-mnist",
     {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
      "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}}};

/// Lines for people and the same as JSON.
struct Report {
  std::string text;
  Json json;
  bool healthy = true;

  /// A line; one without a name goes on with the line before.
  void line(std::string_view name, std::string_view what) {
    text += fmt::format("{:<12}{}\n", name, what);
  }
  /// Something that has to work.
  void verdict(std::string_view name, bool works, std::string_view what) {
    line(name, fmt::format("{}: {}", works ? "ok" : "FAILS", what));
    healthy &= works;
  }
};

void reportVersions(Report &report) {
  std::string fmtVersion =
      fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                  FMT_VERSION % 100);
  std::string jsonVersion =
      fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                  NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH);
  report.json["version"] = version;
  report.json["libraries"] = {{"llvm", LLVM_VERSION_STRING},
                              {"fmt", fmtVersion},
                              {"zlib", zlibVersion()},
                              {"nlohmann_json", jsonVersion},
                              {"cli11", CLI11_VERSION}};
  report.json["built_with"] = __VERSION__;
  report.line("gradus", fmt::format("{}, built with {}", version, __VERSION__));
  report.line("libraries",
              fmt::format("LLVM and MLIR {}, fmt {}, zlib {}, nlohmann-json "
                          "{}, CLI11 {}",
                          LLVM_VERSION_STRING, fmtVersion, zlibVersion(),
                          jsonVersion, CLI11_VERSION));
}

/// The extensions of the processor that speed computing up.
std::vector<std::string> extensions() {
  std::vector<std::string> names;
  for (const auto &[name, present] : llvm::sys::getHostCPUFeatures())
    for (llvm::StringRef family :
         {"avx", "fma", "f16c", "amx", "neon", "sve", "dotprod"})
      if (present && name.starts_with(family)) {
        names.push_back(name.str());
        break;
      }
  std::sort(names.begin(), names.end());
  return names;
}

void reportMachine(Report &report) {
  Machine machine = readMachine();
  utsname kernel = {};
  uname(&kernel);
  std::string system = machine.system.empty() ? "" : machine.system + ", ";
  system += fmt::format("{} {}", kernel.sysname, kernel.release);
  report.json["system"] = system;
  report.line("system", system);

  std::vector<std::string> features = extensions();
  Json caches = Json::array();
  std::vector<std::string> cacheTexts;
  for (const Machine::Cache &cache : machine.caches) {
    caches.push_back(
        {{"level", cache.level}, {"type", cache.type}, {"bytes", cache.bytes}});
    if (cache.type != "Instruction")
      cacheTexts.push_back(
          fmt::format("L{} {}", cache.level, bytesText(double(cache.bytes))));
  }
  std::string cpu = llvm::sys::getHostCPUName().str();
  report.json["processor"] = {{"name", machine.processor},
                              {"extensions", features},
                              {"caches", caches}};
  report.line("processor", machine.processor.empty() ? cpu : machine.processor);
  report.line("", fmt::format("{}", fmt::join(features, " ")));
  if (!cacheTexts.empty())
    report.line("", fmt::format("caches: {}", fmt::join(cacheTexts, ", ")));

  report.json["cores"] = {
      {"usable", machine.threads()},
      {"processors", machine.processors},
      {"affinity", machine.allowed},
      {"cgroup_quota", machine.quota ? Json(*machine.quota) : Json(nullptr)}};
  std::string cores =
      fmt::format("{} usable of {}", machine.threads(), machine.processors);
  if (machine.allowed < machine.processors)
    cores += fmt::format(", bound to {}", machine.allowed);
  if (machine.quota)
    cores += fmt::format(", the cgroup grants {:.4g}", *machine.quota);
  report.line("cores", cores);

  report.json["memory"] = {
      {"bytes", machine.memory},
      {"available_bytes", machine.memoryAvailable},
      {"cgroup_limit_bytes",
       machine.memoryLimit ? Json(*machine.memoryLimit) : Json(nullptr)}};
  report.line(
      "memory",
      fmt::format("{}, {} available{}", bytesText(double(machine.memory)),
                  bytesText(double(machine.memoryAvailable)),
                  machine.memoryLimit
                      ? fmt::format(", the cgroup grants {}",
                                    bytesText(double(*machine.memoryLimit)))
                      : ""));
}

void reportCompiler(Report &report) {
  std::string triple = llvm::sys::getProcessTriple();
  std::string host = native::describeHost();
  SelfCheck check = selfCheck();
  bool works = check.failure.empty();
  report.json["target"] = {{"triple", triple}, {"processor", host}};
  report.json["compiler"] = {
      {"works", works}, {"failure", check.failure}, {"seconds", check.seconds}};
  report.line("target", fmt::format("{}, {}", triple, host));
  report.verdict("compiler", works,
                 works ? fmt::format("compiled and ran a function in {:.0f} ms",
                                     check.seconds * 1e3)
                       : check.failure);
  report.json["std.nn"] = "in the program";
  report.line("std.nn", "is part of the program");
}

void reportData(Report &report) {
  report.json["data"] = Json::array();
  for (const DataPackage &package : dataPackages) {
    bool present = std::all_of(
        package.files.begin(), package.files.end(), [&](const char *name) {
          std::error_code missing;
          return fs::file_size(fs::path(package.folder) / name, missing) > 0 &&
                 !missing;
        });
    report.json["data"].push_back({{"package", package.name},
                                   {"folder", package.folder},
                                   {"present", present}});
    report.line("data",
                present ? fmt::format("{} in {}", package.name, package.folder)
                        : fmt::format("{} is not installed: apt-get install "
                                      "{}, or use --data",
                                      package.name, package.name));
  }
}

/// Why nothing can be written to a folder; empty if something can.
std::string whyNotWritable(const fs::path &folder) {
  std::string name = (folder / ".gradus-doctor-XXXXXX").string();
  if (!mkdtemp(name.data()))
    return std::strerror(errno);
  rmdir(name.c_str());
  return "";
}

void reportFolders(Report &report) {
  std::error_code ignored;
  fs::path current = fs::current_path(ignored);
  fs::path runs = current / "runs";
  std::string why =
      whyNotWritable(fs::is_directory(runs, ignored) ? runs : current);
  fs::space_info space = fs::space(current, ignored);
  int64_t available = ignored ? 0 : int64_t(space.available);
  report.json["runs"] = {{"folder", runs.string()},
                         {"writable", why.empty()},
                         {"failure", why},
                         {"available_bytes", available}};
  report.verdict("runs", why.empty(),
                 why.empty()
                     ? fmt::format("new runs go to {}, {} available",
                                   runs.string(), bytesText(double(available)))
                     : fmt::format("{}: {}; choose another folder with -o",
                                   runs.string(), why));
}

/// Nothing depends on the cache: it is no check.
void reportCache(Report &report) {
  std::optional<fs::path> path = CacheFolder::usualPath();
  report.json["cache"] = nullptr;
  if (!path) {
    report.line("cache", "there is none: code is compiled in each process");
    return;
  }
  int64_t bytes = 0;
  std::vector<CacheFolder::Entry> entries = CacheFolder(*path).entries();
  for (const CacheFolder::Entry &entry : entries)
    bytes += entry.bytes;
  std::error_code ignored;
  std::string why = fs::exists(*path, ignored) ? whyNotWritable(*path) : "";
  report.json["cache"] = {{"folder", path->string()},
                          {"bytes", bytes},
                          {"limit_bytes", CacheFolder::usualLimit},
                          {"entries", entries.size()},
                          {"failure", why}};
  report.line("cache",
              fmt::format("{}, {} of at most {}{}", path->string(),
                          bytesText(double(bytes)),
                          bytesText(double(CacheFolder::usualLimit)),
                          why.empty() ? "" : "; nothing is added: " + why));
}

} // namespace

ExitCode verbs::doctor(const CommandLine &line) {
  Report report;
  reportVersions(report);
  reportMachine(report);
  reportCompiler(report);
  reportData(report);
  reportFolders(report);
  reportCache(report);
  report.json["healthy"] = report.healthy;
  fmt::print("{}", line.json
                       ? report.json.dump(2, ' ', false,
                                          Json::error_handler_t::replace) +
                             "\n"
                       : report.text);
  return report.healthy ? Fine : CheckFailed;
}

} // namespace gradus

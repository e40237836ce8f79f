// `gradus cache`: what is kept of compiled code, and why some of it is of no
// use here.
#include "compiler/CacheFolder.h"
#include "compiler/native/Target.h"
#include "runtime/Error.h"
#include "runtime/Text.h"
#include "tools/gradus/Verbs.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gradus {

using Json = nlohmann::ordered_json;

/// Why this program does not use an entry; empty if it may.
static std::string_view uselessness(const CacheKey &key) {
  return key.build != buildIdentity()              ? "another build"
         : key.processor != native::identifyHost() ? "another processor"
                                                   : "";
}

static std::string timeOf(const CacheFolder::Entry &entry) {
  auto since = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::file_clock::to_sys(entry.used).time_since_epoch());
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(since.count()));
}

static std::string entriesText(size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "entry" : "entries");
}

static void printText(const CacheFolder &folder,
                      const std::vector<CacheFolder::Entry> &entries) {
  int64_t bytes = 0;
  for (const CacheFolder::Entry &entry : entries)
    bytes += entry.bytes;
  fmt::print("{}: {}, {} of at most {}\n", folder.path().string(),
             entriesText(entries.size()), bytesText(double(bytes)),
             bytesText(double(CacheFolder::usualLimit)));
  for (const CacheFolder::Entry &entry : entries) {
    std::string_view why = uselessness(entry.key);
    fmt::print("  {}  {:>10}  {}{}{}\n", timeOf(entry),
               bytesText(double(entry.bytes)), entry.title,
               why.empty() ? "" : "; of ", why);
  }
}

static void printJson(const CacheFolder &folder,
                      const std::vector<CacheFolder::Entry> &entries) {
  Json json = {{"folder", folder.path().string()},
               {"limit_bytes", CacheFolder::usualLimit},
               {"entries", Json::array()}};
  for (const CacheFolder::Entry &entry : entries)
    json["entries"].push_back({{"title", entry.title},
                               {"bytes", entry.bytes},
                               {"used", timeOf(entry)},
                               {"usable", uselessness(entry.key).empty()},
                               {"build", entry.key.build},
                               {"processor", entry.key.processor},
                               {"settings", entry.key.settings},
                               {"graph", entry.key.graph}});
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

ExitCode verbs::cache(const CommandLine &line) {
  const std::string &what = line.model;
  if (!what.empty() && what != "list" && what != "clear")
    throw Error(fault::BadFlag, "cache", "list or clear", what);
  std::optional<std::filesystem::path> path = CacheFolder::usualPath();
  if (!path) {
    fmt::print("{}\n", line.json ? "null" : "there is no cache");
    return Fine;
  }
  CacheFolder folder(*path);
  if (what == "clear") {
    int64_t count = folder.clear();
    if (line.json)
      fmt::print("{}\n", Json({{"deleted", count}}).dump());
    else
      fmt::print("deleted {}\n", entriesText(size_t(count)));
    return Fine;
  }
  (line.json ? printJson : printText)(folder, folder.entries());
  return Fine;
}

} // namespace gradus

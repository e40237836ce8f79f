// See Libraries.h.
#include "runtime/Libraries.h"

#include <dlfcn.h>

#include <filesystem>

namespace gradus {

namespace fs = std::filesystem;

void *Libraries::open(const std::string &path, const std::string &written,
                      std::string &reason) {
  if (auto known = opened.find(path); known != opened.end())
    return known->second;
  std::error_code ignored;
  std::string file = path;
  if (!run.empty() && !fs::exists(file, ignored)) {
    std::string moved =
        (fs::path(origin) / fs::path(path).lexically_relative(run)).string();
    if (fs::exists(moved, ignored))
      file = moved;
  }
  // A name without a slash would be looked for in the system's folders.
  if (fs::exists(file, ignored))
    file = fs::absolute(file, ignored).string();
  else if (written.find('/') == std::string::npos)
    file = written;
  void *library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *text = dlerror();
    reason = text ? text : "no reason is known";
    // The name of the file stands in front of it.
    if (std::string prefix = file + ": "; reason.starts_with(prefix))
      reason.erase(0, prefix.size());
    return nullptr;
  }
  return opened[path] = library;
}

void *Libraries::find(void *library, const std::string &symbol) {
  return dlsym(library, symbol.c_str());
}

} // namespace gradus

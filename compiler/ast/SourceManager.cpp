// Reading files, with an error for each way in which that can fail.
#include "compiler/ast/SourceManager.h"
#include "compiler/DiagnosticKinds.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

namespace gradus {

const Source &SourceManager::add(std::string name, std::string text) {
  return sources.emplace_back(std::move(name), std::move(text));
}

/// What all ways of writing a path have in common; the path itself if something
/// is wrong with it, which shows when it is read.
static std::string keyOf(const std::string &path) {
  std::error_code error;
  std::string key = std::filesystem::weakly_canonical(path, error).string();
  return error ? path : key;
}

const Source &SourceManager::addFile(const std::string &path,
                                     std::string text) {
  const Source &source = add(path, std::move(text));
  loaded[keyOf(path)] = &source;
  return source;
}

const Source *SourceManager::load(const std::string &path,
                                  Diagnostics &diagnostics,
                                  Range importedFrom) {
  std::string key = keyOf(path);
  if (auto found = loaded.find(key); found != loaded.end())
    return found->second;

  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (!readsFiles || status.type() == std::filesystem::file_type::not_found) {
    diagnostics.report(diag::FileMissing, importedFrom, path);
    return nullptr;
  }
  if (error) {
    diagnostics.report(diag::FileUnreadable, importedFrom, path,
                       error.message());
    return nullptr;
  }
  if (std::filesystem::is_directory(status)) {
    diagnostics.report(diag::FileIsFolder, importedFrom, path);
    return nullptr;
  }

  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "rb"),
                                              &std::fclose);
  // Read up to the bound rather than ask for the size: a pipe has none.
  constexpr size_t bound = size_t(4) << 20;
  std::string text;
  char buffer[1 << 16];
  size_t count = 0;
  while (file && text.size() <= bound &&
         (count = std::fread(buffer, 1, sizeof buffer, file.get())) > 0)
    text.append(buffer, count);
  if (!file || std::ferror(file.get())) {
    diagnostics.report(diag::FileUnreadable, importedFrom, path,
                       std::generic_category().message(errno));
    return nullptr;
  }
  if (text.size() > bound) {
    diagnostics.report(diag::FileTooLarge, importedFrom, path, bound >> 20);
    return nullptr;
  }
  return loaded[key] = &add(path, std::move(text));
}

} // namespace gradus

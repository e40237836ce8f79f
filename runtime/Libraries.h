// The C libraries that a model names, loaded into this process.
#pragma once

#include <map>
#include <string>

namespace gradus {

class Libraries {
public:
  /// For a model in a run folder: what was beside it when it was trained is
  /// looked for in `origin` if it is not in `run`.
  explicit Libraries(std::string run = {}, std::string origin = {})
      : run(std::move(run)), origin(std::move(origin)) {}

  /// The file at `path`, or, if there is none, the library of the name
  /// `written` that the system's loader finds. Null if neither can be loaded:
  /// `reason` says why. They stay for as long as the process runs, as their
  /// functions do.
  void *open(const std::string &path, const std::string &written,
             std::string &reason);
  /// The address of a function of it, null if it has none of this name.
  static void *find(void *library, const std::string &symbol);

private:
  std::string run, origin;
  std::map<std::string, void *> opened;
};

} // namespace gradus

// See Exported.h.
#include "tools/gradus/Exported.h"
#include "compiler/check/Scope.h"
#include "runtime/Error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradus {

const ast::Fn *exportedFunction(const LoadedModel &loaded,
                                const std::string &name) {
  std::vector<const ast::Fn *> exported;
  std::vector<std::string> names;
  for (const auto &decl : loaded.file->declarations)
    if (auto *fn = decl->as<ast::Fn>(); fn && decl->exported) {
      exported.push_back(fn);
      names.push_back(fn->name.text);
    }
  for (const ast::Fn *fn : exported)
    if (fn->name.text == name)
      return fn;
  if (exported.empty())
    throw Error(fault::NothingExported, loaded.path)
        .help("write `export` before a `fn` to run it");
  std::string list = fmt::format("`{}`", fmt::join(names, "`, `"));
  if (name.empty() && exported.size() > 1)
    throw Error(fault::WhichFunction, loaded.path,
                counted(exported.size(), "function"))
        .help(fmt::format("write the name of one behind the model: {}", list));
  if (name.empty())
    return exported.front();
  Error error(fault::NoExport, loaded.path, name);
  std::string near = typed::nearest(name, names);
  throw error.help(near.empty() ? "it exports " + list
                                : fmt::format("did you mean `{}`?", near));
}

const typed::Function *checkedFunction(const LoadedModel &loaded,
                                       const ast::Fn &function) {
  for (const typed::Function *candidate : loaded.program->main->functions)
    if (candidate->name == function.name.text)
      return candidate;
  return nullptr;
}

} // namespace gradus

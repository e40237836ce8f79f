// `key=value` of the command line: a const, a dim, a setting of the train, or
// an argument of an optimizer. The value is an expression of the language.
#include "compiler/ast/Parser.h"
#include "compiler/check/CheckerState.h"

#include <algorithm>

namespace gradus::typed {

void CheckerState::readOverrides() {
  for (const Override &given : options.overrides) {
    ParsedOverride &parsed = overrides.emplace_back();
    parsed.key = given.key;
    // Messages show it as the user wrote it.
    std::string text = fmt::format("{}={}", given.key, given.value);
    const Source &source = sources.add("command line", text);
    Diagnostics errors;
    parsed.value = parseValue(source, given.key.size() + 1, errors);
    if (!parsed.value) {
      Diagnostic &error = diagnostics.report(diag::BadOverride, Range(), text);
      if (!given.value.empty() && errors.hasErrors())
        error.note(errors.all().front().headline);
      parsed.isUsed = true;
    }
  }
}

// A name of the main file hides those of the files it imports.
void CheckerState::bindOverrides(const FileScope &main) {
  std::map<std::string, std::vector<const Declaration *>> known;
  for (const FileScope &file : files)
    for (const Declaration *declaration : file.order)
      if (!file.isPrelude && (declaration->kind == Declaration::Const ||
                              declaration->kind == Declaration::Dim))
        known[declaration->path()].push_back(declaration);
  for (ParsedOverride &parsed : overrides) {
    auto found = known.find(parsed.key);
    if (found == known.end() || !parsed.value)
      continue;
    const auto &candidates = found->second;
    auto own = std::ranges::find(candidates, &main, [](const auto *candidate) {
      return candidate->owner->file;
    });
    if (own == candidates.end() && candidates.size() > 1) {
      Diagnostic &error = diagnostics.report(
          diag::AmbiguousOverride, candidates[0]->name->range, parsed.key,
          fmt::format("{} constants", candidates.size()));
      for (size_t i = 1; i < candidates.size(); ++i)
        error.label(candidates[i]->name->range, "another one");
      error.help("import one of the files under a name: `import \"...\" as "
                 "base`, then `base." +
                 parsed.key + "=...`");
      parsed.isUsed = true;
      continue;
    }
    parsed.target = own == candidates.end() ? candidates[0] : *own;
  }
}

const ast::Expr *CheckerState::overrideOf(const Declaration &declaration) {
  // The last one counts, as flags do.
  const ast::Expr *value = nullptr;
  for (ParsedOverride &parsed : overrides)
    if (parsed.target == &declaration) {
      parsed.isUsed = true;
      value = parsed.value.get();
    }
  return value;
}

const ast::Expr *CheckerState::overrideOf(std::string_view setting) {
  const ast::Expr *value = nullptr;
  for (ParsedOverride &parsed : overrides)
    if (parsed.key == setting && parsed.value) {
      parsed.isUsed = true;
      value = parsed.value.get();
    }
  return value;
}

const ast::Expr *CheckerState::overrideOfArgument(
    const std::string &name, size_t index,
    const std::vector<const Optimizer *> &minimizes) {
  const ast::Expr *value = nullptr;
  std::vector<std::string> keys;
  for (size_t i = 0; i < minimizes.size(); ++i)
    if (minimizes[i] &&
        std::ranges::find(minimizes[i]->arguments, name, &Local::name) !=
            minimizes[i]->arguments.end())
      keys.push_back(fmt::format("{}.{}", i + 1, name));
  optimizerArguments.push_back(
      keys.size() == 1 ? name : fmt::format("{}.{}", index + 1, name));
  for (ParsedOverride &parsed : overrides) {
    if (!parsed.value)
      continue;
    if (parsed.key == fmt::format("{}.{}", index + 1, name)) {
      parsed.isUsed = true;
      value = parsed.value.get();
    } else if (parsed.key == name) {
      parsed.isUsed = true;
      if (keys.size() == 1) {
        value = parsed.value.get();
      } else if (!parsed.isReported) {
        parsed.isReported = true;
        diagnostics
            .report(diag::AmbiguousOverride, Range(), name,
                    fmt::format("{} optimizers", keys.size()))
            .help(fmt::format("give one of: {}", fmt::join(keys, ", ")));
      }
    }
  }
  return value;
}

void CheckerState::reportUnusedOverrides() {
  std::vector<std::string> names = optimizerArguments;
  if (program->train)
    names.insert(names.end(),
                 {"batch", "epochs", "steps", "seed", "clip", "clip_value",
                  "shuffle", "accumulate", "eval_every", "checkpoint_every"});
  for (const FileScope &file : files)
    for (const auto &[name, declaration] : file.members)
      if (!file.isPrelude && (declaration->kind == Declaration::Const ||
                              declaration->kind == Declaration::Dim))
        names.push_back(declaration->path());
  for (const ParsedOverride &parsed : overrides) {
    if (parsed.isUsed)
      continue;
    Diagnostic &error =
        diagnostics.report(diag::UnknownOverride, Range(), parsed.key);
    std::string near = nearest(parsed.key, names);
    // The name without that of its file.
    for (const std::string &name : names)
      if (name.ends_with("." + parsed.key))
        near = name;
    if (!near.empty())
      error.meant(near);
    else if (!names.empty())
      error.help(fmt::format("there are: {}", fmt::join(names, ", ")));
  }
}

} // namespace gradus::typed

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

const ast::Expr *CheckerState::overrideOf(std::string_view name) {
  // The last one counts, as flags do.
  const ast::Expr *value = nullptr;
  for (ParsedOverride &parsed : overrides)
    if (parsed.key == name && parsed.value) {
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
    } else if (parsed.key == name && !parsed.isUsed) {
      parsed.isUsed = keys.size() != 1;
      if (keys.size() == 1) {
        value = parsed.value.get();
        parsed.isUsed = true;
      } else {
        diagnostics.report(diag::AmbiguousOverride, Range(), name, keys.size())
            .help(fmt::format("give one of: {}", fmt::join(keys, ", ")));
      }
    }
  }
  return value;
}

void CheckerState::reportUnusedOverrides(FileScope &scope) {
  std::vector<std::string> names = optimizerArguments;
  if (program->train)
    names.insert(names.end(),
                 {"batch", "epochs", "steps", "seed", "clip", "clip_value",
                  "shuffle", "eval_every", "checkpoint_every"});
  for (const FileScope &file : files)
    for (const auto &[name, declaration] : file.members)
      if (!file.isPrelude && (declaration->kind == Declaration::Const ||
                              declaration->kind == Declaration::Dim))
        names.push_back(name);
  for (const ParsedOverride &parsed : overrides) {
    if (parsed.isUsed)
      continue;
    Diagnostic &error =
        diagnostics.report(diag::UnknownOverride, Range(), parsed.key);
    std::string near = nearest(parsed.key, names);
    if (!near.empty())
      error.meant(near);
    else if (!names.empty())
      error.help(fmt::format("there are: {}", fmt::join(names, ", ")));
  }
}

} // namespace gradus::typed

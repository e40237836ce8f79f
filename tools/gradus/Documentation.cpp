// See Documentation.h.
#include "tools/gradus/Documentation.h"
#include "compiler/Diagnostics.h"
#include "compiler/ast/Parser.h"
#include "compiler/ast/SourceManager.h"
#include "compiler/check/Checker.h"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>

namespace gradus {

//===-- Files -------------------------------------------------------------===//

namespace {
struct Heading {
  uint32_t offset;
  std::string text;
};
} // namespace

/// A comment that blank lines surround, or the start of the file.
static std::vector<Heading> headingsOf(std::string_view text) {
  std::vector<Heading> headings;
  std::optional<Heading> block;
  bool afterBlank = true;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    bool isComment = line.starts_with("# ");
    if (isComment && !block && afterBlank)
      block = Heading{static_cast<uint32_t>(begin), ""};
    if (isComment && block) {
      block->text += block->text.empty() ? "" : " ";
      block->text += line.substr(2);
    } else {
      if (block && line.empty())
        headings.push_back(*block);
      block.reset();
    }
    afterBlank = line.empty();
    begin = end + 1;
  }
  for (Heading &heading : headings)
    heading.text.resize(
        std::min(heading.text.find_first_of(".:"), heading.text.size()));
  return headings;
}

/// A declaration up to its value or body, in one line.
static std::string signatureOf(std::string_view text) {
  if (text.starts_with("export "))
    text.remove_prefix(7);
  std::string signature;
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    bool isRelation =
        c == '=' && (text[i + 1] == '=' ||
                     (i && std::string_view("=<>!").find(text[i - 1]) !=
                               std::string_view::npos));
    if (depth == 0 && (c == '{' || (c == '=' && !isRelation)))
      break;
    bool isSpace = c == ' ' || c == '\n';
    if (isSpace && (signature.empty() || signature.back() == ' '))
      continue;
    signature += isSpace ? ' ' : c;
  }
  while (signature.ends_with(' '))
    signature.pop_back();
  return signature;
}

static const ast::Name *nameOf(const ast::Decl &decl) {
  return ast::visit(
      decl,
      []<typename T>(const T &it) -> const ast::Name *
        requires requires { it.name.text; }
      { return &it.name; },
      [](const auto &) -> const ast::Name * { return nullptr; });
}

std::vector<Documented> documentationOf(const ast::File &file) {
  std::vector<Heading> headings = headingsOf(file.source->text());
  std::vector<Documented> all;
  for (const ast::DeclPtr &decl : file.declarations) {
    const ast::Name *name = nameOf(*decl);
    if (!name || (decl->doc.empty() && !decl->exported))
      continue;
    Documented &entry = all.emplace_back();
    entry.name = name->text;
    entry.signature = signatureOf(decl->range.text());
    entry.text = decl->doc;
    for (const Heading &heading : headings)
      if (heading.offset < decl->range.begin)
        entry.section = heading.text;
    if (auto *module = decl->as<ast::Module>())
      for (const ast::DeclPtr &member : module->members)
        if (member->as<ast::Fn>())
          entry.signature += "\n  " + signatureOf(member->range.text());
  }
  return all;
}

//===-- The library -------------------------------------------------------===//

/// How calls of a builtin are written, by its class in Builtins.def.
static std::string usageOf(std::string_view name, std::string_view kind,
                           std::string_view parameters) {
  if (kind == "Operator") {
    bool isUnary = parameters.find(' ') == std::string_view::npos;
    bool isWord = isUnary && std::isalpha(static_cast<unsigned char>(name[0]));
    return isUnary ? fmt::format("{}{}x", name, isWord ? " " : "")
                   : fmt::format("a {} b", name);
  }
  if (kind == "Creation")
    return fmt::format("{}[...]", name);
  if (kind == "Reshape")
    return fmt::format("{}[...](x)", name);
  if (kind == "Concat")
    return fmt::format("{}(a, b, ..., axis = 0)", name);
  std::string list;
  for (char c : parameters)
    list += c == ' '   ? std::string(", ")
            : c == '=' ? std::string(" = ")
                       : std::string(1, c);
  if (kind == "Reduction" || kind == "ArgReduction" || kind == "CumSum")
    return fmt::format("{0}({1})\n{0}({1}, over = D)\n{0}({1}, axis = -1)",
                       name, list);
  return fmt::format("{}({})", name, list);
}

const std::vector<Documented> &library() {
  static const std::vector<Documented> all = [] {
    struct Row {
      std::string_view name, kind, parameters, text;
    };
    static const Row rows[] = {
#define BUILTIN(ID, NAME, CLASS, PARAMETERS, DOC)                              \
  {NAME, #CLASS, PARAMETERS, DOC},
#include "compiler/check/Builtins.def"
    };
    std::vector<Documented> entries;
    for (std::string section : {"Operators", "Builtin functions"})
      for (const Row &row : rows)
        if (row.kind != "Internal" &&
            (row.kind == "Operator") == (section == "Operators"))
          entries.push_back({section, std::string(row.name),
                             usageOf(row.name, row.kind, row.parameters),
                             std::string(row.text)});
    SourceManager sources;
    Diagnostics diagnostics;
    auto file = parse(sources.add("std.nn", std::string(typed::preludeText())),
                      diagnostics);
    if (diagnostics.hasErrors())
      throw std::logic_error(diagnostics.render());
    for (Documented &entry : documentationOf(*file))
      entries.push_back(std::move(entry));
    return entries;
  }();
  return all;
}

} // namespace gradus

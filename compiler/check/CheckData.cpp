// `data`: the fields of one example and where each split comes from.
#include "compiler/check/SourceReader.h"

#include <algorithm>

namespace gradus::typed {

/// The source of a split; nothing after an error.
static std::optional<decltype(Data::Split::source)>
readSource(CheckerState &state, Body &body, const Data &data,
           const ast::Expr &tree) {
  static const std::vector<std::string> known = {
      "csv", "idx", "npy", "npz", "chars", "bytes", "linspace"};
  auto *call = tree.as<ast::Call>();
  auto *name = call ? call->callee->as<ast::NameUse>() : nullptr;
  auto read = [&](auto source) {
    std::optional<decltype(Data::Split::source)> result;
    if (SourceReader(state, body, data, *call, name->text, tree.range)
            .read(source))
      result = std::move(source);
    return result;
  };
  if (tree.as<ast::Invalid>())
    return std::nullopt;
  if (name && name->text == "csv")
    return read(CsvSource());
  if (name && name->text == "idx")
    return read(IdxSource());
  if (name && (name->text == "npy" || name->text == "npz"))
    return read(ArraySource());
  if (name && (name->text == "chars" || name->text == "bytes"))
    return read(TextSource());
  if (name && name->text == "linspace")
    return read(LinspaceSource());
  if (name && name->text == "images") {
    state.refuse(call->callee->range, "data from `images` is");
    return std::nullopt;
  }
  Range where = call ? call->callee->range : tree.range;
  Diagnostic &error = state.diagnostics.report(diag::UnknownSource, where,
                                               shortened(where.text()));
  std::string near = name ? nearest(name->text, known) : "";
  near.empty()
      ? error.help(fmt::format("there are: {}", fmt::join(known, ", ")))
      : error.meant(near);
  return std::nullopt;
}

// The characters of every split are numbered by those of the training split.
static void checkVocabulary(CheckerState &state, const Data &data) {
  auto isChars = [](const Data::Split &split) {
    auto *text = std::get_if<TextSource>(&split.source);
    return text && !text->isBytes;
  };
  auto training = std::ranges::find(data.splits, "train", &Data::Split::name);
  if (training == data.splits.end())
    training = data.splits.begin();
  for (const Data::Split &split : data.splits)
    if (isChars(split) && !isChars(*training))
      state.diagnostics
          .report(diag::SourceArgument, split.range, split.name,
                  fmt::format("read as `{}` is, which tells the characters",
                              training->name))
          .label(training->range, "not from `chars`");
}

const Data *CheckerState::resolveData(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.data;
  declaration.progress = Declaration::Done;
  const auto &tree = *declaration.decl->as<ast::Data>();
  if (declaration.decl->broken)
    return nullptr;
  size_t errors = diagnostics.errorCount();
  Data data;
  data.name = tree.name.text;
  data.path = declaration.path();
  data.doc = declaration.decl->doc;
  data.range = tree.name.range;
  data.file = declaration.owner->file->tree->source;
  data.isExported = declaration.decl->exported;
  Body body(*this, *declaration.owner, Body::Constant, nullptr);
  std::vector<std::string> reserved = rowOptions;
  reserved.push_back("header");
  for (const ast::Field &field : tree.fields) {
    Type type = body.type(*field.type);
    auto twice =
        std::ranges::find(data.fields, field.name.text, &Data::Field::name);
    if (twice != data.fields.end())
      diagnostics.report(diag::DeclaredTwice, field.name.range, field.name.text)
          .label(twice->range, "declared here first");
    else if (std::ranges::find(reserved, field.name.text) != reserved.end())
      diagnostics.report(diag::DeclaredTwice, field.name.range, field.name.text)
          .here("an option of a source has this name");
    if (type.isTuple()) {
      refuse(field.type->range, "fields that are tuples are");
      type = Type::poison();
    }
    data.fields.push_back({field.name.text, field.doc, field.name.range, type});
  }
  if (data.fields.empty())
    diagnostics.report(diag::NoFields, data.range, data.name)
        .help("say what one example holds, as in `x: real[13]; y: real`");
  if (errors != diagnostics.errorCount())
    return nullptr;
  for (const ast::Split &split : tree.splits) {
    auto twice =
        std::ranges::find(data.splits, split.name.text, &Data::Split::name);
    if (twice != data.splits.end())
      diagnostics.report(diag::DeclaredTwice, split.name.range, split.name.text)
          .label(twice->range, "declared here first");
    Data::Split result = {split.name.text, split.name.range, {}};
    if (auto source = readSource(*this, body, data, *split.source))
      result.source = std::move(*source);
    data.splits.push_back(std::move(result));
  }
  checkVocabulary(*this, data);
  if (errors != diagnostics.errorCount())
    return nullptr;
  return declaration.data = program->make(std::move(data));
}

} // namespace gradus::typed

// See Messages.h. The layout of the JSON is that of `rustc
// --error-format=json`, so that what reads one reads the other.
#include "tools/gradus/Messages.h"
#include "tools/gradus/Pages.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace gradus {

using Json = nlohmann::ordered_json;

static bool isJson = false;

void chooseMessageFormat(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "--diagnostics" && i + 1 < argc)
      isJson = argv[++i] == std::string_view("json");
    else if (word.starts_with("--diagnostics="))
      isJson = word == "--diagnostics=json";
  }
}

bool messagesAreJson() { return isJson; }

/// Colour of messages: only on a terminal, and not if NO_COLOR is set.
static bool wantsColour() {
  const char *noColour = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) && (!noColour || !*noColour);
}

static std::string oneLine(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

//===-- Layout ------------------------------------------------------------===//

/// The lines of a range, each with the characters that are marked in it.
static Json linesOf(Range range) {
  Json lines = Json::array();
  const Source &source = *range.source;
  Source::Position begin = source.position(range.begin);
  Source::Position end = source.position(range.end);
  for (uint32_t number = begin.line; number <= end.line; ++number) {
    std::string_view text = source.line(number);
    uint32_t length =
        source.position(source.lineStart(number) + text.size()).column;
    lines.push_back(
        {{"text", text},
         {"highlight_start", number == begin.line ? begin.column : 1},
         {"highlight_end", number == end.line ? end.column : length}});
  }
  return lines;
}

static Json spanOf(Range range, bool isPrimary, const std::string &label) {
  Source::Position begin = range.position();
  Source::Position end = range.source->position(range.end);
  return {{"file_name", range.source->name()},
          {"byte_start", range.begin},
          {"byte_end", range.end},
          {"line_start", begin.line},
          {"line_end", end.line},
          {"column_start", begin.column},
          {"column_end", end.column},
          {"is_primary", isPrimary},
          {"text", linesOf(range)},
          {"label", label.empty() ? Json() : Json(label)},
          {"suggested_replacement", nullptr},
          {"suggestion_applicability", nullptr},
          {"expansion", nullptr}};
}

/// A place in a data file: not all of it is known. `detail` is ours.
static Json spanOf(const DataPlace &place) {
  Json line, begin, end, text = Json::array();
  if (place.line)
    line = place.line;
  if (place.line && place.text) {
    // As in a source, columns count characters.
    Source quoted(place.file, *place.text);
    auto column = [&](size_t at) {
      return quoted.position(uint32_t(std::min(at, place.text->size()))).column;
    };
    begin = column(place.begin);
    end = std::max(column(place.end), column(place.begin));
    text.push_back({{"text", *place.text},
                    {"highlight_start", begin},
                    {"highlight_end", end}});
  }
  return {{"file_name", place.file},
          {"byte_start", nullptr},
          {"byte_end", nullptr},
          {"line_start", line},
          {"line_end", line},
          {"column_start", begin},
          {"column_end", end},
          {"is_primary", true},
          {"text", text},
          {"label", place.label.empty() ? Json() : Json(place.label)},
          {"suggested_replacement", nullptr},
          {"suggestion_applicability", nullptr},
          {"expansion", nullptr},
          {"detail", place.detail.empty() ? Json() : Json(place.detail)}};
}

/// A note or help below a message.
static Json childOf(std::string_view level, const std::string &text,
                    const std::vector<Edit> &edits) {
  Json spans = Json::array();
  for (const Edit &edit : edits) {
    Json span = spanOf(edit.range, /*isPrimary=*/true, "");
    span["suggested_replacement"] = edit.text;
    span["suggestion_applicability"] = "MaybeIncorrect";
    spans.push_back(std::move(span));
  }
  return {
      {"message", text}, {"code", nullptr},           {"level", level},
      {"spans", spans},  {"children", Json::array()}, {"rendered", nullptr}};
}

static Json messageOf(std::string_view level, std::string_view code,
                      const std::string &headline, Json spans, Json children,
                      const std::string &rendered) {
  Json codeJson;
  if (!code.empty()) {
    std::string_view page = pageOf(code);
    codeJson = {{"code", code}, {"explanation", page.empty() ? Json() : page}};
  }
  return {{"$message_type", "diagnostic"},
          {"message", headline},
          {"code", codeJson},
          {"level", level},
          {"spans", std::move(spans)},
          {"children", std::move(children)},
          {"rendered", rendered}};
}

Json jsonOf(const Diagnostic &message) {
  Json spans = Json::array(), children = Json::array();
  for (const Span &span : message.spans)
    spans.push_back(spanOf(span.range, span.primary, span.label));
  for (const Diagnostic::Remark &remark : message.remarks)
    children.push_back(childOf(remark.kind, remark.text, remark.edits));
  return messageOf(message.severity == Severity::Error ? "error" : "warning",
                   message.code, message.headline, std::move(spans),
                   std::move(children), render(message));
}

static Json jsonOf(const Error &error) {
  Json spans = Json::array(), children = Json::array();
  if (error.place())
    spans.push_back(spanOf(*error.place()));
  for (const Error::Remark &remark : error.remarks())
    children.push_back(childOf(remark.kind, remark.text, {}));
  return messageOf("error", error.code(), error.headline(), std::move(spans),
                   std::move(children), error.render(false));
}

//===-- Writing -----------------------------------------------------------===//

std::string messageText(const Diagnostics &diagnostics) {
  if (!isJson)
    return diagnostics.render({.colour = wantsColour()});
  std::string text;
  for (const Diagnostic *message : diagnostics.sorted())
    text += oneLine(jsonOf(*message));
  return text;
}

std::string messageText(const Error &error) {
  return isJson ? oneLine(jsonOf(error)) : error.render(wantsColour());
}

void showError(const Error &error) {
  std::fputs(messageText(error).c_str(), stderr);
}

void showNote(const std::string &text) {
  std::string line = "note: " + text + "\n";
  if (isJson)
    line = oneLine(
        messageOf("note", "", text, Json::array(), Json::array(), line));
  std::fputs(line.c_str(), stderr);
}

} // namespace gradus

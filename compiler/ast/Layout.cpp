// See Layout.h. One walk over tokens and comments: a line ends where it did in
// the source, and inside of the braces of a block that has several lines. How
// far it is indented follows from the brackets that are open.
#include "compiler/ast/Layout.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>

namespace gradus {

namespace {

/// Columns count characters.
size_t widthOf(std::string_view text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool opens(TokenKind kind) {
  return kind == TokenKind::LeftParen || kind == TokenKind::LeftBracket ||
         kind == TokenKind::LeftBrace;
}

bool closesExpr(TokenKind kind) {
  return kind == TokenKind::RightParen || kind == TokenKind::RightBracket;
}

/// An operator behind it has two operands, a bracket belongs to it.
bool endsValue(TokenKind kind) {
  return kind == TokenKind::Name || kind == TokenKind::Number ||
         kind == TokenKind::String || kind == TokenKind::True ||
         kind == TokenKind::False || closesExpr(kind);
}

/// A token that is printed: no newline, no `;`.
struct Item {
  Token token;
  std::string_view text;
  uint32_t line;
  /// A statement begins with it.
  bool begins = false;
  /// A line begins with it.
  bool breaks = false;
};

struct Line {
  size_t indent = 0;
  bool blankBefore = false;
  std::string text;
  std::string_view comment;
  /// Of so many bytes of the text: brackets ask for it again and again.
  size_t width = 0, measured = 0;

  size_t widthNow() {
    width += widthOf(std::string_view(text).substr(measured));
    measured = text.size();
    return width;
  }
};

class Layout {
public:
  Layout(const Source &source, const SoftWords &words)
      : source(source), words(words) {}

  std::string run();

private:
  // What the source is.
  void collect(const TokenList &list);
  void breakBlocks();
  void dropCommas();
  void alignSplits();
  bool isUnary(size_t i) const;
  bool spaceBefore(size_t i) const;

  // What becomes of it.
  size_t indentOf(size_t i) const;
  size_t commentIndent() const;
  void startLine(size_t indent, uint32_t sourceLine, bool mayBeBlank);
  void separate(uint32_t offset);
  void put(const Comment &comment);
  void put(size_t i);
  void alignComments();

  /// Without the column, which would take time in a long line.
  uint32_t lineOf(uint32_t offset) const {
    auto lines = std::views::iota(uint32_t(1), source.lineCount() + 1);
    auto next = std::ranges::upper_bound(lines, offset, {}, [&](uint32_t line) {
      return source.lineStart(line);
    });
    return next - lines.begin();
  }

  struct Bracket {
    TokenKind kind;
    /// Of lines that begin in it: of statements, if it is a brace.
    size_t indent;
    /// What it holds begins behind it in its line.
    bool aligned;
  };

  const Source &source;
  const SoftWords &words;
  std::vector<Item> items;
  /// Where there are some.
  std::set<uint32_t> semicolons;
  /// By the offset of a token, blanks behind it beyond the usual one.
  std::map<uint32_t, size_t> padding;

  std::vector<Line> lines;
  std::vector<Bracket> open;
  /// The next item.
  size_t next = 0;
  /// Line of the source of what was put last.
  uint32_t lastLine = 0;
  /// Where documentation begins that was put last.
  std::optional<uint32_t> documentation;
};

void Layout::collect(const TokenList &list) {
  bool begins = true;
  for (const Token &token : list.tokens) {
    if (token.kind == TokenKind::Newline ||
        token.kind == TokenKind::Semicolon) {
      begins = true;
      if (token.kind == TokenKind::Semicolon)
        semicolons.insert(token.begin);
      continue;
    }
    if (token.kind == TokenKind::End)
      break;
    Item item{token, source.text().substr(token.begin, token.end - token.begin),
              lineOf(token.begin)};
    item.begins = begins;
    item.breaks = items.empty() || item.line != items.back().line;
    items.push_back(item);
    begins = token.kind == TokenKind::LeftBrace;
  }
}

/// A block of several lines has its statements in lines of their own.
void Layout::breakBlocks() {
  std::vector<size_t> braces;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].token.kind == TokenKind::LeftBrace)
      braces.push_back(i);
    if (items[i].token.kind != TokenKind::RightBrace || braces.empty())
      continue;
    if (items[braces.back()].line != items[i].line)
      items[braces.back() + 1].breaks = items[i].breaks = true;
    braces.pop_back();
  }
}

/// `f(a, b,)` -> `f(a, b)`; a comma that ends a line stays.
void Layout::dropCommas() {
  std::vector<Item> kept;
  for (size_t i = 0; i < items.size(); ++i)
    if (items[i].token.kind != TokenKind::Comma || items[i].breaks ||
        i + 1 == items.size() || !closesExpr(items[i + 1].token.kind) ||
        items[i + 1].breaks)
      kept.push_back(items[i]);
  items = std::move(kept);
}

/// The `from` of the splits of a data declaration stand below each other.
void Layout::alignSplits() {
  std::map<uint32_t, const Item *> byOffset;
  for (const Item &item : items)
    if (item.breaks)
      byOffset[item.token.begin] = &item;
  for (const std::vector<uint32_t> &splits : words.splits) {
    size_t widest = 0;
    for (uint32_t split : splits)
      if (auto found = byOffset.find(split); found != byOffset.end())
        widest = std::max(widest, widthOf(found->second->text));
    for (uint32_t split : splits)
      if (auto found = byOffset.find(split); found != byOffset.end())
        padding[split] = widest - widthOf(found->second->text);
  }
}

bool Layout::isUnary(size_t i) const {
  return items[i].token.kind == TokenKind::Minus &&
         (i == 0 || !endsValue(items[i - 1].token.kind) ||
          words.operands.count(items[i].token.begin));
}

/// Between two tokens of one line.
bool Layout::spaceBefore(size_t i) const {
  TokenKind before = items[i - 1].token.kind, kind = items[i].token.kind;
  if (words.operands.count(items[i].token.begin))
    return true;
  if (before == TokenKind::LeftBrace)
    return kind != TokenKind::RightBrace;
  if (opens(before) || closesExpr(kind) || kind == TokenKind::Comma ||
      kind == TokenKind::Colon)
    return false;
  if (before == TokenKind::Comma || before == TokenKind::Colon)
    return true;
  if (before == TokenKind::Dot || kind == TokenKind::Dot ||
      before == TokenKind::DotDot || before == TokenKind::Caret ||
      kind == TokenKind::Caret || isUnary(i - 1))
    return false;
  if (kind == TokenKind::DotDot || kind == TokenKind::LeftParen ||
      kind == TokenKind::LeftBracket)
    return !endsValue(before) && before != TokenKind::Fn;
  return true;
}

/// Of a line that begins with item `i`.
size_t Layout::indentOf(size_t i) const {
  const Item &item = items[i];
  size_t indent = open.empty() ? 0 : open.back().indent;
  if (item.token.kind == TokenKind::RightBrace)
    return indent - 2;
  if (!open.empty() && open.back().kind != TokenKind::LeftBrace) {
    if (!closesExpr(item.token.kind))
      return indent;
    return open.back().aligned ? indent - 1 : indent - 2;
  }
  // A `backward` is as important as the function before it.
  bool backward = item.token.kind == TokenKind::Backward ||
                  (item.text == "surrogate" && i + 1 < items.size() &&
                   items[i + 1].token.kind == TokenKind::Backward);
  return item.begins || backward ? indent : indent + 2;
}

/// A comment speaks of what follows, if that is not the end of something.
size_t Layout::commentIndent() const {
  if (next == items.size())
    return 0;
  TokenKind kind = items[next].token.kind;
  if (kind == TokenKind::RightBrace || closesExpr(kind))
    return open.back().indent;
  return indentOf(next);
}

void Layout::startLine(size_t indent, uint32_t sourceLine, bool mayBeBlank) {
  Line line;
  line.indent = indent;
  line.blankBefore = mayBeBlank && !lines.empty() && sourceLine > lastLine + 1;
  lines.push_back(line);
}

/// A `;` that keeps documentation from what stands at `offset` stays.
void Layout::separate(uint32_t offset) {
  if (!documentation)
    return;
  auto found = semicolons.lower_bound(*documentation);
  if (found == semicolons.end() || *found > offset)
    return;
  startLine(commentIndent(), lineOf(*found), true);
  lines.back().text = ";";
  lastLine = lineOf(*found);
  documentation.reset();
}

void Layout::put(const Comment &comment) {
  separate(comment.begin);
  uint32_t line = lineOf(comment.begin);
  bool starts = next > 0 &&
                items[next - 1].token.kind == TokenKind::LeftBrace &&
                lastLine == items[next - 1].line;
  if (comment.startsLine) {
    startLine(commentIndent(), line, !starts);
    lines.back().text = commentText(source, comment);
    if (lines.back().text.starts_with("##") && !documentation)
      documentation = comment.begin;
  } else {
    // Behind a `;` that is not printed there may be no other place for it.
    if (lines.empty() || !lines.back().comment.empty() ||
        lines.back().text.starts_with('#')) {
      startLine(commentIndent(), line, !starts);
      lines.back().text = ";";
    }
    lines.back().comment = commentText(source, comment);
  }
  lastLine = line;
}

void Layout::put(size_t i) {
  const Item &item = items[i];
  TokenKind kind = item.token.kind;
  separate(item.token.begin);
  documentation.reset();
  if (item.breaks) {
    bool edge = kind == TokenKind::RightBrace ||
                (i > 0 && items[i - 1].token.kind == TokenKind::LeftBrace &&
                 !lines.back().text.starts_with('#'));
    startLine(indentOf(i), item.line, !edge);
  } else if (item.begins && items[i - 1].token.kind != TokenKind::LeftBrace &&
             kind != TokenKind::RightBrace) {
    lines.back().text += "; ";
  } else if (spaceBefore(i)) {
    lines.back().text += ' ';
  }
  std::string &text = lines.back().text;
  text += item.text;
  if (auto found = padding.find(item.token.begin); found != padding.end())
    text.append(found->second, ' ');
  lastLine = item.line;

  if (opens(kind)) {
    bool aligned = i + 1 < items.size() && !items[i + 1].breaks;
    size_t indent = lines.back().indent;
    if (kind == TokenKind::LeftBrace)
      indent = (open.empty() ? 0 : open.back().indent) + 2;
    else
      indent += aligned ? lines.back().widthNow() : 2;
    open.push_back({kind, indent, aligned});
  } else if (closesExpr(kind) || kind == TokenKind::RightBrace) {
    open.pop_back();
  }
}

/// Comments behind neighbouring lines stand below each other.
void Layout::alignComments() {
  size_t end = 0;
  for (size_t first = 0; first < lines.size();
       first = std::max(end, first + 1)) {
    size_t widest = 0;
    end = first;
    for (; end < lines.size() && !lines[end].comment.empty() &&
           (end == first || !lines[end].blankBefore);
         ++end)
      widest = std::max(widest, lines[end].indent + widthOf(lines[end].text));
    for (size_t i = first; i < end; ++i) {
      Line &line = lines[i];
      line.text.append(widest + 2 - line.indent - widthOf(line.text), ' ');
      line.text += line.comment;
    }
  }
}

std::string Layout::run() {
  Diagnostics none;
  TokenList list = lex(source, none);
  collect(list);
  breakBlocks();
  dropCommas();
  alignSplits();
  auto comment = list.comments.begin();
  for (; next < items.size(); ++next) {
    for (; comment != list.comments.end() &&
           comment->begin < items[next].token.begin;
         ++comment)
      put(*comment);
    put(next);
  }
  for (; comment != list.comments.end(); ++comment)
    put(*comment);
  alignComments();

  std::string text;
  for (const Line &line : lines) {
    if (line.blankBefore)
      text += '\n';
    text.append(line.indent, ' ');
    text += line.text;
    text += '\n';
  }
  return text;
}

} // namespace

std::string_view commentText(const Source &source, const Comment &comment) {
  std::string_view text =
      source.text().substr(comment.begin, comment.end - comment.begin);
  // As the lexer does for documentation.
  while (text.ends_with(' ') || text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

std::string layOut(const Source &source, const SoftWords &words) {
  return Layout(source, words).run();
}

} // namespace gradus

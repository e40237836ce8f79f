// The lexer works in two passes: characters to tokens, then newlines: which of
// them end a statement depends on the tokens around them.
#include "compiler/ast/Lexer.h"
#include "compiler/DiagnosticKinds.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace gradus {

namespace {

struct Spelling {
  TokenKind kind;
  std::string_view text;
};

constexpr Spelling punctuation[] = {
#define PUNCTUATION(NAME, SPELLING) {TokenKind::NAME, SPELLING},
#include "compiler/ast/Tokens.def"
};

constexpr Spelling keywords[] = {
#define KEYWORD(NAME, SPELLING) {TokenKind::NAME, SPELLING},
#include "compiler/ast/Tokens.def"
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Greek letters that no one takes for a Latin one.
constexpr std::string_view greekLetters = "αβγδεζηθλμξπρστφψωΓΔΘΛΞΠΣΦΨΩ";

/// Letters that look like another, which is the one that was meant.
struct Lookalike {
  std::string_view letter, meant;
};
constexpr Lookalike lookalikes[] = {
    {"\u0391", "A"}, {"\u0392", "B"}, {"\u0395", "E"}, {"\u0396", "Z"},
    {"\u0397", "H"}, {"\u0399", "I"}, {"\u039A", "K"}, {"\u039C", "M"},
    {"\u039D", "N"}, {"\u039F", "O"}, {"\u03A1", "P"}, {"\u03A4", "T"},
    {"\u03A5", "Y"}, {"\u03A7", "X"}, {"\u03B9", "i"}, {"\u03BA", "k"},
    {"\u03BD", "v"}, {"\u03BF", "o"}, {"\u03C5", "u"}, {"\u03C7", "x"},
    {"\u03C2", "s"}, {"\u00B5", "μ"}, {"\u03F5", "ε"}, {"\u03D1", "θ"},
    {"\u03D5", "φ"}, {"\u2206", "Δ"}, {"\u2211", "Σ"}, {"\u220F", "Π"},
    {"\u2126", "Ω"}};

/// What people write who know other languages; what stands for it here, if
/// that is all.
struct Habit {
  std::string_view text, help, edit = "";
};
constexpr Habit habits[] = {
    {"&&", "write `and`", "and"},
    {"||", "write `or`", "or"},
    {"**", "powers are written `^`", "^"},
    {"&", "write `and`", "and"},
    {"|", "write `or`, or `|>` to pass a value on"},
    {"!", "write `not`", "not "},
    {"'", "strings are written `\"...\"`; the transpose of `W` is `W.T`"},
    {"“", "strings are written `\"...\"`"},
    {"”", "strings are written `\"...\"`"},
    {"−", "this is not the minus sign of the keyboard, `-`", "-"},
    {"×", "products are written `*`", "*"},
    {"·", "products are written `*`", "*"},
    {"≤", "write `<=`", "<="},
    {"≥", "write `>=`", ">="},
    {"≠", "write `!=`", "!="},
};

bool contains(std::string_view letters, std::string_view letter) {
  // Two Greek letters never hold a third across their border: the bytes of a
  // character start with a lead byte.
  return letters.find(letter) != std::string_view::npos;
}

/// Characters to tokens, without newlines.
class Scanner {
public:
  Scanner(const Source &source, Diagnostics &diagnostics)
      : source(source), text(source.text()), diagnostics(diagnostics) {}

  TokenList run() {
    if (text.starts_with("\xEF\xBB\xBF"))
      at = 3; // a byte order mark
    uint32_t lineStart = at;
    bool startsLine = true;
    while (at < text.size() && !diagnostics.isFull()) {
      char c = text[at];
      if (c == '\n') {
        lineStart = ++at;
        startsLine = true;
      } else if (c == ' ' || c == '\t' ||
                 (c == '\r' && (at + 1 == text.size() || peek(1) == '\n'))) {
        ++at;
      } else if (c == '#') {
        comment(startsLine);
      } else {
        uint32_t begin = at;
        TokenKind kind = bounded(scan(), begin);
        list.tokens.push_back(
            {kind, startsLine, begin == lineStart, begin, at});
        startsLine = false;
      }
    }
    list.tokens.push_back({TokenKind::End, true, at == lineStart, at, at});
    return std::move(list);
  }

private:
  /// The character `ahead` bytes on, 0 behind the end.
  char peek(size_t ahead = 0) const {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  }
  Range range(uint32_t begin, uint32_t end) const {
    return {&source, begin, end};
  }

  /// A token that no one can read, nor a message quote, is none.
  TokenKind bounded(TokenKind kind, uint32_t begin) {
    bool isString = kind == TokenKind::String;
    size_t most = isString ? 4096 : 256;
    if (at - begin <= most || kind == TokenKind::Invalid)
      return kind;
    std::string_view what = isString                    ? "string"
                            : kind == TokenKind::Number ? "number"
                                                        : "name";
    diagnostics.report(diag::TooLong, range(begin, at), what, at - begin, most);
    return TokenKind::Invalid;
  }

  void comment(bool alone) {
    uint32_t begin = at;
    at = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(begin, at - begin);
    checkComment(begin);
    list.comments.push_back({alone, begin, at});
    if (!alone || !line.starts_with("##"))
      return;
    line.remove_prefix(2);
    if (line.starts_with(' '))
      line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r'))
      line.remove_suffix(1);
    list.docs.push_back({list.tokens.size(), line});
  }

  /// Bytes that are not UTF-8 are errors in comments and strings too: someone
  /// will print them.
  void checkComment(uint32_t begin) {
    for (uint32_t i = begin; i < at;) {
      unsigned length = utf8Length(text.substr(i));
      if (length == 0) {
        uint32_t end = i + 1;
        while (end < at && utf8Length(text.substr(end)) == 0)
          ++end;
        reportBadUtf8(i, end);
        length = end - i;
      }
      i += length;
    }
  }

  void reportBadUtf8(uint32_t begin, uint32_t end) {
    diagnostics.report(diag::InvalidUtf8, range(begin, end), begin,
                       static_cast<unsigned char>(text[begin]));
  }

  TokenKind scan() {
    char c = peek();
    if (isDigit(c))
      return number();
    if (c == '"')
      return string();
    uint32_t begin = at;
    if (word()) {
      std::string_view spelled = text.substr(begin, at - begin);
      for (const Spelling &keyword : keywords)
        if (keyword.text == spelled)
          return keyword.kind;
      return TokenKind::Name;
    }
    if (!text.substr(at).starts_with("**"))
      for (const Spelling &mark : punctuation)
        if (text.substr(at).starts_with(mark.text)) {
          at += mark.text.size();
          return mark.kind;
        }
    return stray();
  }

  /// Reads letters and digits. False, and nothing read, if there are none.
  bool word() {
    uint32_t begin = at;
    while (at < text.size()) {
      char c = text[at];
      unsigned length = utf8Length(text.substr(at));
      std::string_view letter = text.substr(at, length);
      if (isNameStart(c) || (at > begin && isDigit(c)) ||
          (length == 2 && contains(greekLetters, letter))) {
        at += length;
        continue;
      }
      auto other = std::find_if(
          std::begin(lookalikes), std::end(lookalikes),
          [&](const Lookalike &pair) { return pair.letter == letter; });
      if (length < 2 || other == std::end(lookalikes))
        break;
      diagnostics
          .report(diag::LookalikeLetter, range(at, at + length), letter,
                  other->meant)
          .help(fmt::format("write `{}`", other->meant),
                {{range(at, at + length), std::string(other->meant)}});
      at += length;
    }
    return at > begin;
  }

  TokenKind number() {
    uint32_t begin = at;
    bool wellFormed = digits();
    if (peek() == '.' && isDigit(peek(1))) {
      ++at;
      wellFormed &= digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      size_t sign = peek(1) == '+' || peek(1) == '-';
      if (isDigit(peek(1 + sign))) {
        at += 1 + sign;
        wellFormed &= digits();
      }
    }
    uint32_t numberEnd = at;
    if (word() || !wellFormed) {
      std::string_view spelled = text.substr(begin, at - begin);
      auto &error =
          diagnostics.report(diag::BadNumber, range(begin, at), spelled);
      if (!wellFormed)
        error.help("`_` stands between two digits, as in `1_000`");
      else
        error.label(range(numberEnd, at), "a name does not start with a digit");
      return TokenKind::Invalid;
    }
    return TokenKind::Number;
  }

  /// Digits, and `_` between two of them.
  bool digits() {
    bool wellFormed = true;
    for (; isDigit(peek()) || peek() == '_'; ++at)
      wellFormed &=
          peek() != '_' || (isDigit(text[at - 1]) && isDigit(peek(1)));
    return wellFormed;
  }

  TokenKind string() {
    uint32_t begin = at++;
    bool valid = true;
    while (peek() != '"') {
      if (at >= text.size() || peek() == '\n') {
        uint32_t end = at;
        while (end > begin + 1 && text[end - 1] == '\r')
          --end;
        diagnostics.report(diag::UnclosedString, range(begin, end))
            .help("a string ends in the line where it starts");
        return TokenKind::Invalid;
      }
      if (peek() == '\\') {
        valid &= escape();
        continue;
      }
      unsigned length = utf8Length(text.substr(at));
      if (length == 0) {
        reportBadUtf8(at, at + 1);
        valid = false;
      } else if ((peek() >= 0 && peek() < ' ' && peek() != '\t' &&
                  !(peek() == '\r' && peek(1) == '\n')) ||
                 peek() == '\x7F') {
        // It would be printed in messages and names of files.
        diagnostics.report(diag::StrayCharacter, range(at, at + 1),
                           describe(text.substr(at, 1)));
        valid = false;
      }
      at += std::max(1u, length);
    }
    ++at;
    return valid ? TokenKind::String : TokenKind::Invalid;
  }

  bool escape() {
    constexpr std::string_view known = "\"\\nt";
    if (at + 1 >= text.size() || peek(1) == '\n') {
      ++at; // the string is not closed, which is the error
      return true;
    }
    unsigned length = std::max(1u, utf8Length(text.substr(at + 1)));
    std::string_view character = text.substr(at + 1, length);
    bool valid = known.find(character) != std::string_view::npos;
    if (!valid)
      diagnostics.report(diag::BadEscape, range(at, at + 1 + length), character)
          .help("a backslash itself is written `\\\\`");
    at += 1 + length;
    return valid;
  }

  TokenKind stray() {
    uint32_t begin = at;
    unsigned length = utf8Length(text.substr(at));
    if (length == 0) {
      while (at < text.size() && utf8Length(text.substr(at)) == 0)
        ++at;
      reportBadUtf8(begin, at);
      return TokenKind::Invalid;
    }
    const Habit *habit =
        std::find_if(std::begin(habits), std::end(habits), [&](const Habit &h) {
          return text.substr(at).starts_with(h.text);
        });
    bool known = habit != std::end(habits);
    at += known ? habit->text.size() : length;
    std::string_view character = text.substr(begin, at - begin);
    auto &error = diagnostics.report(diag::StrayCharacter, range(begin, at),
                                     describe(character));
    if (known && habit->edit.empty())
      error.help(std::string(habit->help));
    else if (known)
      error.help(std::string(habit->help),
                 {{range(begin, at), std::string(habit->edit)}});
    return TokenKind::Invalid;
  }

  /// A character that may not be printable, as `&` or U+0007.
  static std::string describe(std::string_view character) {
    unsigned char lead = character[0];
    if (lead > 0x20 && lead < 0x7F)
      return fmt::format("`{}`", character);
    uint32_t code =
        lead < 0x80 ? lead : lead & (0xFF >> (character.size() + 1));
    for (char c : character.substr(1))
      code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
    // Spaces of all widths, direction marks and the like print as nothing.
    bool invisible =
        code <= 0xA0 || code == 0xAD || (code >= 0x2000 && code <= 0x200F) ||
        (code >= 0x2028 && code <= 0x202F) ||
        (code >= 0x205F && code <= 0x206F) || code == 0x3000 || code == 0xFEFF;
    if (invisible)
      return fmt::format("U+{:04X}", code);
    return fmt::format("`{}` (U+{:04X})", character, code);
  }

  const Source &source;
  std::string_view text;
  Diagnostics &diagnostics;
  TokenList list;
  uint32_t at = 0;
};

std::string_view textOf(const Source &source, const Token &token) {
  return source.text().substr(token.begin, token.end - token.begin);
}

bool isName(const Source &source, const Token &token, std::string_view word) {
  return token.kind == TokenKind::Name && textOf(source, token) == word;
}

/// A line that ends in one of these goes on in the next.
bool continuesBehind(TokenKind kind) {
  switch (kind) {
  case TokenKind::PipeArrow:
  case TokenKind::EqualEqual:
  case TokenKind::NotEqual:
  case TokenKind::Less:
  case TokenKind::LessEqual:
  case TokenKind::Greater:
  case TokenKind::GreaterEqual:
  case TokenKind::Plus:
  case TokenKind::Minus:
  case TokenKind::Star:
  case TokenKind::Slash:
  case TokenKind::SlashSlash:
  case TokenKind::Percent:
  case TokenKind::At:
  case TokenKind::Caret:
  case TokenKind::And:
  case TokenKind::Or:
  case TokenKind::Not:
  case TokenKind::Equal:
  case TokenKind::Tilde:
  case TokenKind::Arrow:
  case TokenKind::Comma:
    return true;
  default:
    return false;
  }
}

/// A line that starts so goes on with the statement before it. The soft words
/// do, unless they are names that are assigned.
bool continuesBefore(const Source &source, const Token &token,
                     const Token &next) {
  if (token.kind == TokenKind::PipeArrow || token.kind == TokenKind::Backward)
    return true;
  if (isName(source, token, "surrogate"))
    return next.kind == TokenKind::Backward;
  return next.kind != TokenKind::Equal &&
         (isName(source, token, "over") || isName(source, token, "using") ||
          isName(source, token, "every"));
}

/// Inserts a Newline token wherever a newline ends a statement.
TokenList insertNewlines(const Source &source, TokenList scanned) {
  const std::vector<Token> &tokens = scanned.tokens;
  TokenList list;
  list.comments = std::move(scanned.comments);
  list.tokens.reserve(tokens.size() + tokens.size() / 4);
  auto doc = scanned.docs.begin();
  std::vector<TokenKind> open; // brackets
  auto inBrace = [&] {
    return open.empty() || open.back() == TokenKind::LeftBrace;
  };
  auto get = [&](size_t i) -> const Token & {
    return tokens[std::min(i, tokens.size() - 1)];
  };
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token &token = tokens[i];
    if (token.startsLine && i > 0) {
      bool begins = beginsStatement(source, token, get(i + 1), get(i + 2)) ||
                    token.kind == TokenKind::End;
      if (begins)
        while (!inBrace())
          open.pop_back();
      bool goesOn = continuesBehind(tokens[i - 1].kind) ||
                    continuesBefore(source, token, get(i + 1));
      if (inBrace() && (begins || !goesOn))
        list.tokens.push_back({TokenKind::Newline, false, false,
                               tokens[i - 1].end, tokens[i - 1].end});
    }
    switch (token.kind) {
    case TokenKind::LeftParen:
    case TokenKind::LeftBracket:
    case TokenKind::LeftBrace:
      open.push_back(token.kind);
      break;
    case TokenKind::RightParen:
    case TokenKind::RightBracket:
      if (!inBrace())
        open.pop_back();
      break;
    case TokenKind::RightBrace:
      while (!inBrace())
        open.pop_back();
      if (!open.empty())
        open.pop_back();
      break;
    default:
      break;
    }
    for (; doc != scanned.docs.end() && doc->before == i; ++doc)
      list.docs.push_back({list.tokens.size(), doc->text});
    list.tokens.push_back(token);
  }
  return list;
}

} // namespace

std::string_view spelling(TokenKind kind) {
  for (const Spelling &mark : punctuation)
    if (mark.kind == kind)
      return mark.text;
  for (const Spelling &keyword : keywords)
    if (keyword.kind == kind)
      return keyword.text;
  return "";
}

bool beginsDeclaration(const Source &source, const Token &token,
                       const Token &next, const Token &third) {
  if (token.kind == TokenKind::Fn)
    return next.kind == TokenKind::Name;
  if (token.kind != TokenKind::Name)
    return false;
  std::string_view word = textOf(source, token);
  if (word == "export")
    return next.kind == TokenKind::Name || next.kind == TokenKind::Fn;
  if (word == "extern")
    return next.kind == TokenKind::Fn;
  if (word == "import")
    return next.kind == TokenKind::String;
  if (word == "train")
    return next.kind == TokenKind::Name && third.kind == TokenKind::Name &&
           !isName(source, next, "from");
  constexpr std::string_view words[] = {
      "dim", "const", "data", "param", "state", "layer", "module", "optimizer"};
  return next.kind == TokenKind::Name &&
         std::find(std::begin(words), std::end(words), word) !=
             std::end(words) &&
         // A split of `data` may be called `data from ...`.
         !isName(source, next, "from");
}

bool beginsStatement(const Source &source, const Token &token,
                     const Token &next, const Token &third) {
  switch (token.kind) {
  case TokenKind::Let:
  case TokenKind::Var:
  case TokenKind::For:
  case TokenKind::If:
  case TokenKind::Return:
  case TokenKind::Yield:
    return true;
  case TokenKind::Name:
    if (isName(source, token, "grad"))
      return next.kind == TokenKind::Name && third.kind == TokenKind::Equal;
    if (isName(source, token, "minimize") || isName(source, token, "report"))
      return next.kind == TokenKind::Name;
    return beginsDeclaration(source, token, next, third);
  default:
    return beginsDeclaration(source, token, next, third);
  }
}

TokenList lex(const Source &source, Diagnostics &diagnostics) {
  return insertNewlines(source, Scanner(source, diagnostics).run());
}

} // namespace gradus

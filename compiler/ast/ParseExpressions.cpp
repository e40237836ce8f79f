// The rules of expressions and types.
#include "compiler/ast/ParserState.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gradus::ast {

namespace {

/// The height of the highest part of a node.
struct PartsHeight {
  unsigned operator()(const ExprPtr &part) const {
    return part ? part->height : 0;
  }
  unsigned operator()(const std::vector<ExprPtr> &parts) const {
    unsigned highest = 0;
    for (const ExprPtr &part : parts)
      highest = std::max(highest, (*this)(part));
    return highest;
  }
  unsigned operator()(const Tuple &tuple) const {
    return (*this)(tuple.elements);
  }
  unsigned operator()(const List &list) const { return (*this)(list.elements); }
  unsigned operator()(const Unary &unary) const {
    return (*this)(unary.operand);
  }
  unsigned operator()(const Binary &binary) const {
    return std::max((*this)(binary.left), (*this)(binary.right));
  }
  unsigned operator()(const Pipe &pipe) const {
    return std::max((*this)(pipe.value), (*this)(pipe.target));
  }
  unsigned operator()(const Slice &slice) const {
    return std::max((*this)(slice.begin), (*this)(slice.end));
  }
  unsigned operator()(const Call &call) const {
    unsigned highest = (*this)(call.callee);
    for (const Argument &argument : call.arguments)
      highest = std::max(highest, (*this)(argument.value));
    return highest;
  }
  unsigned operator()(const Index &index) const {
    unsigned highest = (*this)(index.base);
    for (const Subscript &subscript : index.subscripts)
      highest = std::max(highest, (*this)(subscript.value));
    return highest;
  }
  unsigned operator()(const Member &member) const {
    return (*this)(member.base);
  }
  template <typename Leaf> unsigned operator()(const Leaf &) const { return 0; }
};

std::optional<BinaryOp> comparisonOp(TokenKind kind) {
  switch (kind) {
  case TokenKind::EqualEqual:
    return BinaryOp::Equal;
  case TokenKind::NotEqual:
    return BinaryOp::NotEqual;
  case TokenKind::Less:
    return BinaryOp::Less;
  case TokenKind::LessEqual:
    return BinaryOp::LessEqual;
  case TokenKind::Greater:
    return BinaryOp::Greater;
  case TokenKind::GreaterEqual:
    return BinaryOp::GreaterEqual;
  default:
    return std::nullopt;
  }
}

std::optional<BinaryOp> sumOp(TokenKind kind) {
  switch (kind) {
  case TokenKind::Plus:
    return BinaryOp::Add;
  case TokenKind::Minus:
    return BinaryOp::Subtract;
  default:
    return std::nullopt;
  }
}

std::optional<BinaryOp> termOp(TokenKind kind) {
  switch (kind) {
  case TokenKind::Star:
    return BinaryOp::Multiply;
  case TokenKind::Slash:
    return BinaryOp::Divide;
  case TokenKind::SlashSlash:
    return BinaryOp::FloorDivide;
  case TokenKind::Percent:
    return BinaryOp::Remainder;
  case TokenKind::At:
    return BinaryOp::MatMul;
  default:
    return std::nullopt;
  }
}

std::string unescape(std::string_view literal) {
  std::string value;
  literal = literal.substr(1, literal.size() - 2);
  for (size_t i = 0; i < literal.size(); ++i) {
    char c = literal[i];
    if (c == '\\') {
      c = literal[++i];
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
    value += c;
  }
  return value;
}

} // namespace

std::string_view spelling(BinaryOp op) {
  constexpr std::string_view spellings[] = {"or", "and", "==", "!=", "<", "<=",
                                            ">",  ">=",  "+",  "-",  "*", "/",
                                            "//", "%",   "@",  "^"};
  return spellings[static_cast<unsigned>(op)];
}

std::string_view spelling(UnaryOp op) {
  return op == UnaryOp::Negate ? "-" : "not";
}

template <typename Node> ExprPtr Parser::make(Range range, Node node) {
  unsigned height = 1 + PartsHeight()(node);
  if (height > maxHeight) {
    fail(diag::TooDeep, here(), maxHeight)
        .help("give a part of this expression a name with `let`");
    // Its parts are dropped here, while they are low enough to be dropped.
    return invalid();
  }
  auto expr = std::make_unique<Expr>();
  expr->range = range;
  expr->height = height;
  expr->node = std::move(node);
  return expr;
}

ExprPtr Parser::invalid() {
  auto expr = std::make_unique<Expr>();
  expr->range = since(begin());
  expr->node = Invalid();
  return expr;
}

ExprPtr Parser::binary(ExprPtr left, BinaryOp op, Range opRange,
                       ExprPtr right) {
  Range range = Range::cover(left->range, right->range);
  return make(range, Binary{op, opRange, std::move(left), std::move(right)});
}

// expr = or { "|>" postfix } .
ExprPtr Parser::expr() {
  Nesting nesting(*this);
  ExprPtr value = orExpr();
  bool piped = false;
  while (at(TokenKind::PipeArrow)) {
    Range opRange = here();
    advance();
    ExprPtr target = at(TokenKind::Name) ? postfix() : nullptr;
    if (!target) {
      expected("a function or layer after `|>`");
      target = invalid();
    }
    Range range = Range::cover(value->range, target->range);
    value = make(range, Pipe{std::move(value), opRange, std::move(target)});
    piped = true;
  }
  if (piped &&
      (comparisonOp(kind()) || sumOp(kind()) || termOp(kind()) ||
       at(TokenKind::Caret) || at(TokenKind::And) || at(TokenKind::Or)))
    expected("a function call between `|>` and the end of the expression")
        .help("`|>` binds weakest; put what is piped in parentheses: "
              "`(x |> f) + 1`");
  return value;
}

// or = and { "or" and } .
ExprPtr Parser::orExpr() {
  ExprPtr left = andExpr();
  while (at(TokenKind::Or)) {
    Range opRange = here();
    advance();
    left = binary(std::move(left), BinaryOp::Or, opRange, andExpr());
  }
  return left;
}

// and = not { "and" not } .
ExprPtr Parser::andExpr() {
  ExprPtr left = notExpr();
  while (at(TokenKind::And)) {
    Range opRange = here();
    advance();
    left = binary(std::move(left), BinaryOp::And, opRange, notExpr());
  }
  return left;
}

// not = "not" not | cmp .
ExprPtr Parser::notExpr() {
  if (!at(TokenKind::Not))
    return comparison();
  Nesting nesting(*this);
  Range opRange = here();
  if (!accept(TokenKind::Not))
    return invalid();
  ExprPtr operand = notExpr();
  Range range = Range::cover(opRange, operand->range);
  return make(range, Unary{UnaryOp::Not, opRange, std::move(operand)});
}

// cmp = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ] .
ExprPtr Parser::comparison() {
  ExprPtr left = sum();
  std::optional<BinaryOp> op = comparisonOp(kind());
  if (!op)
    return left;
  Range opRange = here();
  advance();
  ExprPtr right = sum();
  if (std::optional<BinaryOp> second = comparisonOp(kind())) {
    Range secondRange = here();
    advance();
    ExprPtr third = sum();
    if (!panicking) {
      Diagnostic &error =
          diagnostics.report(diag::ChainedComparison, secondRange);
      error.label(opRange);
      std::string_view a = left->range.text(), b = right->range.text(),
                       c = third->range.text();
      if ((std::string(a) + std::string(b) + std::string(c)).find('\n') ==
          std::string::npos) {
        std::string both =
            fmt::format("{} {} {} and {} {} {}", a, spelling(*op), b, b,
                        spelling(*second), c);
        error.help(fmt::format("write `{}`", both),
                   {{Range::cover(left->range, third->range), both}});
      }
      ++failures;
    }
    while (comparisonOp(kind())) {
      advance();
      sum();
    }
  }
  return binary(std::move(left), *op, opRange, std::move(right));
}

// sum = term { ( "+" | "-" ) term } .
ExprPtr Parser::sum() {
  ExprPtr left = term();
  while (std::optional<BinaryOp> op = sumOp(kind())) {
    Range opRange = here();
    advance();
    left = binary(std::move(left), *op, opRange, term());
  }
  return left;
}

// term = unary { ( "*" | "/" | "//" | "%" | "@" ) unary } .
ExprPtr Parser::term() {
  ExprPtr left = unary();
  while (std::optional<BinaryOp> op = termOp(kind())) {
    Range opRange = here();
    advance();
    left = binary(std::move(left), *op, opRange, unary());
  }
  return left;
}

// unary = "-" unary | power .
ExprPtr Parser::unary() {
  if (!at(TokenKind::Minus))
    return power();
  Nesting nesting(*this);
  Range opRange = here();
  if (!accept(TokenKind::Minus))
    return invalid();
  ExprPtr operand = unary();
  Range range = Range::cover(opRange, operand->range);
  return make(range, Unary{UnaryOp::Negate, opRange, std::move(operand)});
}

// power = postfix [ "^" unary ] .
ExprPtr Parser::power() {
  ExprPtr base = postfix();
  if (!at(TokenKind::Caret))
    return base;
  Nesting nesting(*this);
  Range opRange = here();
  if (!accept(TokenKind::Caret))
    return base;
  return binary(std::move(base), BinaryOp::Power, opRange, unary());
}

// postfix = primary { "(" [ arg { "," arg } ] ")" | "[" sub { "," sub } "]"
//         | "." NAME } .
ExprPtr Parser::postfix() {
  uint32_t first = begin();
  ExprPtr base = primary();
  while (true) {
    Range open = here();
    if (accept(TokenKind::LeftParen)) {
      Call call{std::move(base), {}};
      list(TokenKind::RightParen, open,
           [&] { call.arguments.push_back(argument()); });
      base = make(since(first), std::move(call));
    } else if (accept(TokenKind::LeftBracket)) {
      Index index{std::move(base), {}};
      if (at(TokenKind::RightBracket))
        expected("an index or a dim");
      list(TokenKind::RightBracket, open,
           [&] { index.subscripts.push_back(subscript()); });
      base = make(since(first), std::move(index));
    } else if (accept(TokenKind::Dot)) {
      Name member = name("a name after `.`");
      base = make(since(first), Member{std::move(base), std::move(member)});
    } else {
      return base;
    }
  }
}

// arg = [ NAME "=" ] range .
Argument Parser::argument() {
  Argument argument;
  if (at(TokenKind::Name) && kind(1) == TokenKind::Equal) {
    argument.name = name("an argument");
    expect(TokenKind::Equal);
  }
  argument.value = rangeExpr();
  return argument;
}

// sub = range | NAME ":" expr .
Subscript Parser::subscript() {
  Subscript subscript;
  if (at(TokenKind::Name) && kind(1) == TokenKind::Colon) {
    subscript.index = name("an index");
    expect(TokenKind::Colon);
    subscript.value = expr();
  } else {
    subscript.value = rangeExpr();
  }
  return subscript;
}

// range = expr | [ expr ] ".." [ expr ] .
ExprPtr Parser::rangeExpr() {
  uint32_t first = begin();
  ExprPtr from;
  if (!at(TokenKind::DotDot))
    from = expr();
  Range dots = here();
  if (!accept(TokenKind::DotDot))
    return from ? std::move(from) : invalid();
  ExprPtr to;
  if (atExpr())
    to = expr();
  return make(since(first), Slice{std::move(from), dots, std::move(to)});
}

bool Parser::atExpr() const {
  switch (kind()) {
  case TokenKind::Number:
  case TokenKind::String:
  case TokenKind::Name:
  case TokenKind::True:
  case TokenKind::False:
  case TokenKind::LeftParen:
  case TokenKind::LeftBracket:
  case TokenKind::Minus:
  case TokenKind::Not:
  case TokenKind::Invalid:
    return true;
  default:
    return false;
  }
}

// primary = NUMBER | STRING | NAME | "true" | "false"
//         | "(" part { "," part } ")" | "[" [ expr { "," expr } ] "]" .
// part = expr | ".." [ expr ] .
ExprPtr Parser::primary() {
  Range range = here();
  switch (kind()) {
  case TokenKind::Number:
    return number();
  case TokenKind::String:
    advance();
    return make(range, String{unescape(range.text())});
  case TokenKind::Name:
    advance();
    return make(range, NameUse{std::string(range.text())});
  case TokenKind::True:
  case TokenKind::False:
    advance();
    return make(range, Bool{range.text() == "true"});
  case TokenKind::LeftParen:
    return parenthesized();
  case TokenKind::LeftBracket: {
    advance();
    List elements;
    list(TokenKind::RightBracket, range,
         [&] { elements.elements.push_back(expr()); });
    return make(since(range.begin), std::move(elements));
  }
  default:
    break;
  }
  bool first = position == 0;
  const Token *before = first ? nullptr : &tokens[position - 1];
  bool behindOp =
      before &&
      (sumOp(before->kind) || termOp(before->kind) ||
       comparisonOp(before->kind) || before->kind == TokenKind::Caret ||
       before->kind == TokenKind::And || before->kind == TokenKind::Or ||
       before->kind == TokenKind::Not);
  TokenKind found = kind();
  Diagnostic &error =
      expected(behindOp ? fmt::format("an expression after `{}`",
                                      this->range(*before).text())
                        : "an expression");
  if (found == TokenKind::For)
    error.help("only `let` takes the values of a `for`: `let a = for ...`");
  else if (found == TokenKind::If)
    error.help("`where(c, a, b)` chooses between two values");
  else if (found == TokenKind::Not && behindOp)
    error.help("put it in parentheses: `(not a)`");
  else if (found == TokenKind::Plus)
    error.help("there is no `+` with one operand");
  return invalid();
}

/// `(a)` is a itself, with a wider range; `(a, b)` is a tuple, as is the
/// `(B, ..S)` of `over`.
ExprPtr Parser::parenthesized() {
  Range open = here();
  advance();
  std::vector<ExprPtr> elements;
  if (at(TokenKind::RightParen))
    expected("an expression");
  list(TokenKind::RightParen, open, [&] {
    elements.push_back(at(TokenKind::DotDot) ? rangeExpr() : expr());
  });
  if (elements.empty())
    return invalid();
  if (elements.size() > 1)
    return make(since(open.begin), Tuple{std::move(elements)});
  elements[0]->range = since(open.begin);
  elements[0]->parenthesized = true;
  return std::move(elements[0]);
}

ExprPtr Parser::number() {
  Range range = here();
  std::string digits(range.text());
  std::erase(digits, '_');
  Number number{};
  const char *last = digits.data() + digits.size();
  bool fits = true;
  if (digits.find_first_of(".eE") == std::string::npos) {
    int64_t integer = 0;
    fits = std::from_chars(digits.data(), last, integer).ec == std::errc();
    number.integer = integer;
  }
  if (fits)
    fits = std::from_chars(digits.data(), last, number.value).ec == std::errc();
  if (!fits) {
    fail(diag::NumberOutOfRange, range, range.text());
    return invalid();
  }
  advance();
  return make(range, number);
}

// type = NAME [ "(" expr ")" ] [ "[" [ axis { "," axis } ] "]" ]
//      | "(" type { "," type } ")"
//      | "fn" "(" [ type { "," type } ] ")" "->" type .
TypePtr Parser::type() {
  Nesting nesting(*this);
  auto type = std::make_unique<Type>();
  type->node = Invalid();
  Range open = here();
  if (at(TokenKind::Name)) {
    type->node = tensorType();
  } else if (accept(TokenKind::LeftParen)) {
    TupleType tuple;
    if (at(TokenKind::RightParen))
      expected("a type");
    list(TokenKind::RightParen, open,
         [&] { tuple.elements.push_back(this->type()); });
    if (tuple.elements.size() == 1)
      return std::move(tuple.elements[0]);
    type->node = std::move(tuple);
  } else if (accept(TokenKind::Fn)) {
    FnType fn;
    Range paren = here();
    if (expect(TokenKind::LeftParen))
      list(TokenKind::RightParen, paren,
           [&] { fn.parameters.push_back(this->type()); });
    expect(TokenKind::Arrow);
    fn.result = this->type();
    type->node = std::move(fn);
  } else {
    expected("a type");
  }
  type->range = since(open.begin);
  return type;
}

TensorType Parser::tensorType() {
  TensorType type;
  type.element = name("a type");
  Range open = here();
  if (accept(TokenKind::LeftParen)) {
    type.bound = expr();
    close(TokenKind::RightParen, open, "");
  }
  open = here();
  if (accept(TokenKind::LeftBracket))
    list(TokenKind::RightBracket, open, [&] { type.axes.push_back(axis()); });
  return type;
}

// axis = ".." NAME | expr .
Axis Parser::axis() {
  Axis axis;
  uint32_t first = begin();
  if (accept(TokenKind::DotDot))
    axis.rest = name("the name of the axes after `..`");
  else
    axis.dim = expr();
  axis.range = since(first);
  return axis;
}

} // namespace gradus::ast

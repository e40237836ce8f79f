// The rules of blocks and statements.
#include "compiler/ast/ParserState.h"

namespace gradus::ast {

// block = "{" { stmt NL } "}" .
Block Parser::block() {
  Nesting nesting(*this);
  Block block;
  size_t before = failures;
  block.range = braces({}, [&] { block.statements.push_back(statement()); });
  block.broken = failures != before;
  return block;
}

// stmt = let | "var" NAME [ ":" type ] "=" expr | NAME "=" expr
//      | "grad" NAME "=" expr | for | if | "return" expr | "yield" expr .
StmtPtr Parser::statement() {
  auto stmt = std::make_unique<Stmt>();
  stmt->node = Invalid();
  Range keyword = here();
  switch (kind()) {
  case TokenKind::Let:
    std::visit(
        [&](auto &&node) { stmt->node = std::forward<decltype(node)>(node); },
        let());
    break;
  case TokenKind::Var:
    stmt->node = var();
    break;
  case TokenKind::For:
    stmt->node = forLoop();
    break;
  case TokenKind::If:
    stmt->node = ifElse();
    break;
  case TokenKind::Return:
    advance();
    stmt->node = Return{keyword, expr()};
    break;
  case TokenKind::Yield:
    advance();
    stmt->node = Yield{keyword, expr()};
    break;
  default:
    if (atWord("grad") && kind(1) == TokenKind::Name)
      stmt->node = gradAssign();
    else if (at(TokenKind::Name) && kind(1) == TokenKind::Equal)
      stmt->node = assign();
    else
      notAStatement();
  }
  stmt->range = since(keyword.begin);
  return stmt;
}

// let = "let" ( NAME [ "[" idx { "," idx } "]" ] [ ":" type ]
//               ( "=" ( expr | for ) | "~" expr )
//             | "(" NAME { "," NAME } ")" "=" expr ) .
// idx = NAME [ ":" expr ] .
std::variant<Let, LetTuple> Parser::let() {
  Range keyword = here();
  expect(TokenKind::Let);
  Range open = here();
  if (accept(TokenKind::LeftParen)) {
    LetTuple tuple;
    tuple.keyword = keyword;
    if (at(TokenKind::RightParen))
      expected("a name");
    list(TokenKind::RightParen, open,
         [&] { tuple.names.push_back(name("a name")); });
    expect(TokenKind::Equal);
    tuple.value = expr();
    return tuple;
  }

  Let let;
  let.keyword = keyword;
  let.name = name("a name after `let`");
  open = here();
  if (accept(TokenKind::LeftBracket)) {
    if (at(TokenKind::RightBracket))
      expected("an index");
    list(TokenKind::RightBracket, open, [&] {
      IndexVariable index{name("an index"), nullptr};
      if (accept(TokenKind::Colon))
        index.extent = expr();
      let.indices.push_back(std::move(index));
    });
  }
  if (accept(TokenKind::Colon))
    let.type = type();
  if (accept(TokenKind::Tilde)) {
    let.draw = true;
    let.value = expr();
  } else if (!accept(TokenKind::Equal)) {
    expected("`=` or `~`");
    let.value = invalid();
  } else if (at(TokenKind::For)) {
    let.loop = std::make_unique<For>(forLoop());
  } else {
    let.value = expr();
  }
  return let;
}

Var Parser::var() {
  Var var;
  var.keyword = here();
  expect(TokenKind::Var);
  var.name = name("a name after `var`");
  if (accept(TokenKind::Colon))
    var.type = type();
  expect(TokenKind::Equal);
  var.value = expr();
  return var;
}

Assign Parser::assign() {
  Assign assign;
  assign.target = name("a name");
  expect(TokenKind::Equal);
  assign.value = expr();
  return assign;
}

GradAssign Parser::gradAssign() {
  GradAssign assign;
  assign.keyword = here();
  expectWord("grad");
  assign.target = name("the name of an argument");
  expect(TokenKind::Equal);
  assign.value = expr();
  return assign;
}

// for = "for" NAME "in" range block .
For Parser::forLoop() {
  For loop;
  loop.keyword = here();
  expect(TokenKind::For);
  loop.variable = name("a name after `for`");
  expect(TokenKind::In);
  loop.over = rangeExpr();
  loop.body = block();
  loop.range = since(loop.keyword.begin);
  return loop;
}

// if = "if" expr block [ "else" ( if | block ) ] .
If Parser::ifElse() {
  Nesting nesting(*this);
  If branch;
  branch.keyword = here();
  expect(TokenKind::If);
  branch.condition = expr();
  if (at(TokenKind::Equal))
    expected("`{`").help("to compare two values, write `==`", {{here(), "=="}});
  branch.then = block();
  if (!accept(TokenKind::Else))
    return branch;
  if (!at(TokenKind::If)) {
    branch.otherwise = block();
    return branch;
  }
  Block otherwise;
  auto stmt = std::make_unique<Stmt>();
  uint32_t first = begin();
  size_t before = failures;
  stmt->node = ifElse();
  stmt->range = otherwise.range = since(first);
  otherwise.statements.push_back(std::move(stmt));
  otherwise.broken = failures != before;
  branch.otherwise = std::move(otherwise);
  return branch;
}

/// Says what is wrong with the start of a line that starts no statement.
void Parser::notAStatement() {
  Range start = here();
  switch (kind()) {
  case TokenKind::Else:
    fail(diag::Misplaced, start, "else", "at the start of a line")
        .help("`else` stands in the line of the `}` before it");
    return;
  case TokenKind::Plus:
  case TokenKind::Star:
  case TokenKind::Slash:
  case TokenKind::SlashSlash:
  case TokenKind::Percent:
  case TokenKind::At:
  case TokenKind::Caret:
  case TokenKind::And:
  case TokenKind::Or:
  case TokenKind::EqualEqual:
  case TokenKind::NotEqual:
  case TokenKind::Less:
  case TokenKind::LessEqual:
  case TokenKind::Greater:
  case TokenKind::GreaterEqual:
    fail(diag::LeadingOperator, start, text())
        .help(fmt::format("end the line before with `{}`, or put the whole "
                          "expression in parentheses",
                          text()));
    return;
  case TokenKind::RightParen:
  case TokenKind::RightBracket:
    fail(diag::ClosesNothing, start, text());
    return;
  default:
    break;
  }
  if (beginsDeclaration(source, token(), token(1), token(2))) {
    fail(diag::Misplaced, start, text(), "in a block")
        .help(
            "declarations belong to a module or to the top level of the file; "
            "in a block, values are named with `let`");
    return;
  }
  if (!atExpr()) {
    expected("a statement");
    return;
  }
  if (at(TokenKind::Name) && kind(1) == TokenKind::Name) {
    unknownWord("a statement",
                {"let", "var", "for", "if", "return", "yield", "grad"});
    return;
  }
  std::string target(text());
  TokenKind op = kind(1);
  if (kind(2) == TokenKind::Equal && token(1).end == token(2).begin &&
      (op == TokenKind::Plus || op == TokenKind::Minus ||
       op == TokenKind::Star || op == TokenKind::Slash)) {
    fail(diag::CompoundAssignment,
         Range::cover(range(token(1)), range(token(2))), text(1))
        .help(fmt::format("write `{0} = {0} {1} ...`", target, text(1)),
              {{Range::cover(range(token(1)), range(token(2))),
                fmt::format("= {} {}", target, text(1))}});
    return;
  }
  bool simple = at(TokenKind::Name);
  ExprPtr value = expr();
  if (panicking) // as in `x += 1`, where a `+` is followed by no expression
    return;
  if (at(TokenKind::Equal)) {
    Diagnostic &error = fail(diag::ElementAssignment, value->range);
    if (value->as<Index>() && simple)
      error.help(fmt::format(
          "values do not change; build a new one: `let y[i] = where(i == 0, "
          "a, {}[i])`",
          target));
    return;
  }
  if (at(TokenKind::Newline) || at(TokenKind::Semicolon) ||
      at(TokenKind::RightBrace))
    fail(diag::UnusedExpression, value->range)
        .help("name it with `let`, or `return` it; calls have no effect of "
              "their own");
  else
    endOfStatement();
}

} // namespace gradus::ast

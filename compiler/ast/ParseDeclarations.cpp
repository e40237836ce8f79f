// The rules of declarations.
#include "compiler/ast/ParserState.h"

#include <algorithm>

namespace gradus::ast {

namespace {

/// Edit distance, for words of a few letters.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

/// What people who know other languages write for one of our words.
constexpr std::pair<std::string_view, std::string_view> foreignWords[] = {
    {"def", "fn"},       {"func", "fn"},         {"function", "fn"},
    {"fun", "fn"},       {"class", "module"},    {"struct", "module"},
    {"model", "module"}, {"parameter", "param"}, {"val", "let"},
    {"mut", "var"},      {"include", "import"},  {"use", "import"},
    {"dims", "dim"},     {"constant", "const"},  {"while", "for"},
    {"elif", "else if"}, {"dataset", "data"}};

/// "`param`, `state` or `fn`".
std::string oneOf(std::initializer_list<std::string_view> words) {
  std::string text;
  size_t left = words.size();
  for (std::string_view word : words) {
    text += fmt::format("`{}`", word);
    --left;
    text += left > 1 ? ", " : left == 1 ? " or " : "";
  }
  return text;
}

} // namespace

/// The word at the current token starts nothing. Proposes one that may be
/// meant.
void Parser::unknownWord(std::string_view expectation,
                         std::initializer_list<std::string_view> words) {
  std::string_view word = text(), meant;
  for (auto [theirs, ours] : foreignWords)
    if (theirs == word &&
        std::find(words.begin(), words.end(), ours) != words.end())
      meant = ours;
  size_t best = word.size() > 4 ? 3 : 2;
  bool foreign = !meant.empty();
  for (std::string_view candidate : words)
    if (size_t d = distance(word, candidate); !foreign && d < best) {
      best = d;
      meant = candidate;
    }
  Diagnostic &error = expected(expectation);
  if (!meant.empty())
    error.meant(meant);
}

std::string Parser::docBefore(size_t token) const {
  auto first = std::lower_bound(
      docs.begin(), docs.end(), token,
      [](const DocComment &doc, size_t index) { return doc.before < index; });
  std::string text;
  for (; first != docs.end() && first->before == token; ++first) {
    if (!text.empty())
      text += '\n';
    text += first->text;
  }
  return text;
}

// decl = "import" STRING [ "as" NAME ] | "dim" ... | "const" ...
//      | data | param | state | layer | module | fn | extern | optimizer
//      | train .
DeclPtr Parser::declaration() {
  auto decl = std::make_unique<Decl>();
  decl->node = Invalid();
  decl->doc = docBefore(position);
  uint32_t first = begin();
  size_t before = failures;
  decl->exported = acceptWord("export");
  if (atWord("import"))
    decl->node = import();
  else if (atWord("dim"))
    decl->node = dims();
  else if (atWord("const"))
    decl->node = constant();
  else if (atWord("data"))
    decl->node = data();
  else if (atWord("param"))
    decl->node = param();
  else if (atWord("state"))
    decl->node = state();
  else if (atWord("layer"))
    decl->node = layer();
  else if (atWord("module"))
    decl->node = module();
  else if (at(TokenKind::Fn))
    decl->node = fn();
  else if (atWord("extern"))
    decl->node = externFn();
  else if (atWord("optimizer"))
    decl->node = optimizer();
  else if (atWord("train"))
    decl->node = train();
  else
    notADeclaration();
  decl->range = since(first);
  decl->broken = failures != before;
  return decl;
}

/// Says what is wrong with the start of a line that starts no declaration.
void Parser::notADeclaration() {
  switch (kind()) {
  case TokenKind::Let:
  case TokenKind::Var:
    fail(diag::Misplaced, here(), text(), "at the top level")
        .help("a value that never changes is a `const`, one that is trained a "
              "`param`");
    return;
  case TokenKind::For:
  case TokenKind::If:
  case TokenKind::Return:
  case TokenKind::Yield:
    fail(diag::Misplaced, here(), text(), "at the top level")
        .help("statements belong into the block of a `fn`");
    return;
  case TokenKind::Name:
    unknownWord("a declaration",
                {"import", "dim", "const", "data", "param", "state", "layer",
                 "module", "fn", "extern", "optimizer", "train", "export"});
    return;
  case TokenKind::RightParen:
  case TokenKind::RightBracket:
    fail(diag::ClosesNothing, here(), text());
    return;
  default:
    expected("a declaration");
  }
}

/// A declaration in a module or optimizer.
DeclPtr Parser::member(std::string_view where,
                       std::initializer_list<std::string_view> allowed) {
  bool fits =
      std::find(allowed.begin(), allowed.end(), text()) != allowed.end();
  if (fits)
    return declaration();
  auto decl = std::make_unique<Decl>();
  decl->node = Invalid();
  decl->broken = true;
  uint32_t first = begin();
  bool known = beginsStatement(source, token(), token(1), token(2)) ||
               beginsDeclaration(source, token(), token(1), token(2));
  if (known)
    fail(diag::Misplaced, here(), text(), where);
  else if (at(TokenKind::Name))
    unknownWord(oneOf(allowed), allowed);
  else
    expected(oneOf(allowed));
  decl->range = since(first);
  return decl;
}

// "import" STRING [ "as" NAME ]
Import Parser::import() {
  Import import;
  expectWord("import");
  import.path = string("the path of a model file, as in `\"mnist.nn\"`",
                       import.pathRange);
  if (acceptWord("as"))
    import.alias = name("a name after `as`");
  return import;
}

std::string Parser::string(std::string_view what, Range &range) {
  range = here();
  if (!at(TokenKind::String)) {
    expected(what);
    return "";
  }
  ExprPtr literal = primary();
  const String *value = literal->as<String>();
  return value ? value->value : "";
}

// "dim" NAME "=" expr { "," NAME "=" expr }
Dims Parser::dims() {
  Dims dims;
  expectWord("dim");
  do {
    Dims::Item item;
    item.name = name("the name of a dim");
    expect(TokenKind::Equal);
    item.value = expr();
    dims.items.push_back(std::move(item));
  } while (accept(TokenKind::Comma));
  return dims;
}

// "const" NAME [ ":" type ] "=" expr
Const Parser::constant() {
  Const constant;
  expectWord("const");
  constant.name = name("the name of a constant");
  if (accept(TokenKind::Colon))
    constant.type = type();
  expect(TokenKind::Equal);
  constant.value = expr();
  return constant;
}

// data = "data" NAME "{" { ( NAME ":" type | NAME "from" expr ) NL } "}" .
Data Parser::data() {
  Data data;
  expectWord("data");
  data.name = name("the name of the data");
  braces({}, [&] {
    std::string doc = docBefore(position);
    Name item = name("a field `name: type` or a split `name from ...`");
    if (accept(TokenKind::Colon))
      data.fields.push_back({std::move(doc), std::move(item), type()});
    else if (acceptWord("from"))
      data.splits.push_back({std::move(item), expr()});
    else
      expected("`:` or `from`");
  });
  return data;
}

// param = "param" NAME ":" type ( "=" | "~" ) expr .
Param Parser::param() {
  Param param;
  expectWord("param");
  param.name = name("the name of a parameter");
  expect(TokenKind::Colon);
  param.type = type();
  param.draw = accept(TokenKind::Tilde);
  if (!param.draw && !accept(TokenKind::Equal))
    expected("`=` or `~`")
        .help("a parameter says how it starts: `= 0`, `~ he(D)`, `~ normal(0, "
              "1)`");
  param.value = expr();
  return param;
}

// state = "state" NAME ":" type "=" expr .
State Parser::state() {
  State state;
  expectWord("state");
  state.name = name("the name of a state");
  expect(TokenKind::Colon);
  state.type = type();
  expect(TokenKind::Equal);
  state.value = expr();
  return state;
}

// layer = "layer" NAME [ "[" expr "]" ] "=" expr .
Layer Parser::layer() {
  Layer layer;
  expectWord("layer");
  layer.name = name("the name of a layer");
  Range open = here();
  if (accept(TokenKind::LeftBracket)) {
    layer.count = expr();
    close(TokenKind::RightBracket, open, "");
  }
  expect(TokenKind::Equal);
  layer.value = expr();
  return layer;
}

// module = "module" NAME [ generics ] [ params ] [ requires ]
//          "{" { ( param | state | layer | fn ) NL } "}" .
Module Parser::module() {
  Module module;
  expectWord("module");
  module.name = name("the name of a module");
  module.generics = generics();
  if (at(TokenKind::LeftParen))
    module.parameters = parameters();
  module.requirement = requirement();
  auto members = {std::string_view("param"), std::string_view("state"),
                  std::string_view("layer"), std::string_view("fn")};
  braces(members,
         [&] { module.members.push_back(member("in a module", members)); });
  return module;
}

// fn = "fn" NAME [ generics ] params [ "->" type ] [ requires ]
//      ( "=" expr | block ) [ "backward" "(" NAME "," NAME ")" block ] .
Fn Parser::fn() {
  Fn fn;
  expect(TokenKind::Fn);
  fn.name = name("the name of a function");
  fn.generics = generics();
  fn.parameters = parameters();
  if (accept(TokenKind::Arrow))
    fn.result = type();
  fn.requirement = requirement();
  if (accept(TokenKind::Equal)) {
    fn.value = expr();
  } else if (at(TokenKind::LeftBrace)) {
    fn.body = block();
  } else {
    expected("`=` or `{`");
    fn.value = invalid();
  }
  fn.backward = backward();
  return fn;
}

// extern = "extern" "fn" NAME [ generics ] params "->" type "from" STRING
//          [ "backward" "(" NAME "," NAME ")" block ] .
Fn Parser::externFn() {
  Fn fn;
  expectWord("extern");
  expect(TokenKind::Fn);
  fn.name = name("the name of a function");
  fn.generics = generics();
  fn.parameters = parameters();
  expect(TokenKind::Arrow);
  fn.result = type();
  expectWord("from");
  Library &library = fn.library.emplace();
  library.path = string("the path of a library", library.range);
  fn.backward = backward();
  return fn;
}

std::optional<Backward> Parser::backward() {
  bool surrogate = atWord("surrogate") && kind(1) == TokenKind::Backward;
  if (!surrogate && !at(TokenKind::Backward))
    return std::nullopt;
  Backward backward;
  backward.surrogate = surrogate;
  if (surrogate)
    advance();
  backward.keyword = here();
  expect(TokenKind::Backward);
  expect(TokenKind::LeftParen);
  backward.result = name("a name for the result");
  expect(TokenKind::Comma);
  backward.cotangent = name("a name for the derivative by the result");
  accept(TokenKind::Comma);
  expect(TokenKind::RightParen);
  backward.body = block();
  return backward;
}

// optimizer = "optimizer" NAME [ generics ] [ params ]
//             "{" { state NL } "step" params block NL "}" .
Optimizer Parser::optimizer() {
  Optimizer optimizer;
  expectWord("optimizer");
  optimizer.name = name("the name of an optimizer");
  optimizer.generics = generics();
  if (at(TokenKind::LeftParen))
    optimizer.parameters = parameters();
  size_t before = failures;
  Range whole = braces({"state"}, [&] {
    bool step = atWord("step");
    if (optimizer.stepKeyword) {
      if (step || atWord("state"))
        fail(diag::Misplaced, here(), text(), "after `step`")
            .label(optimizer.stepKeyword);
      else
        expected("`}` after `step`");
    } else if (step) {
      optimizer.stepKeyword = here();
      expectWord("step");
      optimizer.stepParameters = parameters();
      optimizer.step = block();
    } else {
      optimizer.states.push_back(member("in an optimizer", {"state", "step"}));
    }
  });
  if (!optimizer.stepKeyword && failures == before) {
    diagnostics.report(diag::Expected, {&source, whole.end - 1, whole.end},
                       "`step(...) { ... }`", "`}`");
    ++failures;
  }
  return optimizer;
}

// train = "train" [ NAME ] "on" [ NAME "." ] NAME "(" NAME { "," NAME } ")" ","
//         "batch" NAME "=" expr "{" { clause NL } "}" .
Train Parser::train() {
  Train train;
  train.keyword = here();
  expectWord("train");
  // `train on on(x)` trains on data that are called `on`.
  if (at(TokenKind::Name) &&
      (!atWord("on") || (atWord("on", 1) && kind(2) == TokenKind::Name)))
    train.name = name("a name");
  expectWord("on");
  train.data = name("the name of the data");
  if (accept(TokenKind::Dot)) {
    train.dataFile = std::move(train.data);
    train.data = name("the name of the data");
  }
  Range open = here();
  if (expect(TokenKind::LeftParen)) {
    if (at(TokenKind::RightParen))
      expected("a field of the data");
    list(TokenKind::RightParen, open,
         [&] { train.fields.push_back(name("a field of the data")); });
  }
  if (!accept(TokenKind::Comma))
    expected("`, batch B = ...`");
  expectWord("batch");
  train.batch = name("the name of the batch dim");
  expect(TokenKind::Equal);
  train.batchSize = expr();
  braces({}, [&] { train.clauses.push_back(clause()); });
  return train;
}

// clause = let | "minimize" ... | "report" NAME "=" expr | NAME "=" expr .
Clause Parser::clause() {
  Clause clause;
  uint32_t first = begin();
  if (at(TokenKind::Let)) {
    std::visit([&](auto node) { clause.node = std::move(node); }, let());
  } else if (at(TokenKind::Name) &&
             (kind(1) == TokenKind::Equal ||
              (kind(1) == TokenKind::Number && !atWord("minimize")))) {
    Setting setting;
    setting.name = name("a setting");
    expect(TokenKind::Equal);
    setting.value = expr();
    clause.node = std::move(setting);
  } else if (atWord("minimize")) {
    clause.node = minimize();
  } else if (acceptWord("report")) {
    Report report;
    report.name = name("the name of a report");
    expect(TokenKind::Equal);
    report.value = expr();
    clause.node = std::move(report);
  } else if (beginsStatement(source, token(), token(1), token(2))) {
    fail(diag::Misplaced, here(), text(), "in `train`")
        .help(
            "`train` holds `let`, `minimize`, `report` and settings; the rest "
            "belongs into a `fn`");
  } else if (at(TokenKind::Name)) {
    unknownWord("`let`, `minimize`, `report` or a setting",
                {"let", "minimize", "report"});
  } else {
    expected("`let`, `minimize`, `report` or a setting");
  }
  clause.range = since(first);
  return clause;
}

// "minimize" expr [ "over" expr { "," expr } ] "using" expr [ "every" expr ]
Minimize Parser::minimize() {
  Minimize minimize;
  minimize.keyword = here();
  expectWord("minimize");
  minimize.loss = expr();
  if (acceptWord("over")) {
    do
      minimize.over.push_back(expr());
    while (accept(TokenKind::Comma));
  }
  if (!acceptWord("using"))
    expected("`using` and an optimizer")
        .help("for example `using adam(lr = 1e-3)`");
  minimize.optimizer = expr();
  if (acceptWord("every"))
    minimize.every = expr();
  return minimize;
}

// generics = "[" [ ".." | "axis" ] NAME { "," [ ".." | "axis" ] NAME } "]" .
std::vector<Generic> Parser::generics() {
  std::vector<Generic> generics;
  Range open = here();
  if (!accept(TokenKind::LeftBracket))
    return generics;
  if (at(TokenKind::RightBracket))
    expected("the name of a dim");
  list(TokenKind::RightBracket, open, [&] {
    uint32_t first = begin();
    Generic::Kind kind = Generic::Kind::Dim;
    if (accept(TokenKind::DotDot))
      kind = Generic::Kind::Rest;
    else if (this->kind(1) == TokenKind::Name && acceptWord("axis"))
      kind = Generic::Kind::Axis;
    Name name = this->name("the name of a dim");
    generics.push_back({kind, std::move(name), since(first)});
  });
  return generics;
}

// params = "(" [ par { "," par } ] ")" .  par = NAME [ ":" type ] [ "=" expr ]
// .
std::vector<Parameter> Parser::parameters() {
  std::vector<Parameter> parameters;
  Range open = here();
  if (!expect(TokenKind::LeftParen))
    return parameters;
  list(TokenKind::RightParen, open, [&] {
    uint32_t first = begin();
    Parameter parameter;
    parameter.name = name("the name of an argument");
    if (accept(TokenKind::Colon))
      parameter.type = type();
    if (accept(TokenKind::Equal))
      parameter.defaultValue = expr();
    parameter.range = since(first);
    parameters.push_back(std::move(parameter));
  });
  return parameters;
}

// requires = "requires" expr .
ExprPtr Parser::requirement() {
  return accept(TokenKind::Requires) ? expr() : nullptr;
}

} // namespace gradus::ast

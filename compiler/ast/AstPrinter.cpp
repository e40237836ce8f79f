// One line per declaration, statement and part; what belongs to it is indented
// below.
#include "compiler/ast/AstPrinter.h"

namespace gradus::ast {

namespace {

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else
      quoted += c;
  }
  return quoted + '"';
}

/// `(head a b)`; a part that is not there prints as `_`.
class Form {
public:
  explicit Form(std::string_view head) : text(fmt::format("({}", head)) {}
  Form &add(const ExprPtr &part) { return add(part ? print(*part) : "_"); }
  Form &add(std::string_view part) {
    text += fmt::format(" {}", part);
    return *this;
  }
  Form &add(const std::vector<ExprPtr> &parts) {
    for (const ExprPtr &part : parts)
      add(part);
    return *this;
  }
  std::string done() const { return text + ")"; }

private:
  std::string text;
};

struct ExprPrinter {
  std::string operator()(const Invalid &) const { return "<invalid>"; }
  std::string operator()(const Number &number) const {
    if (number.integer)
      return fmt::format("{}", *number.integer);
    std::string text = fmt::format("{}", number.value);
    bool whole = text.find_first_not_of("0123456789") == std::string::npos;
    return whole ? text + ".0" : text;
  }
  std::string operator()(const String &string) const {
    return quote(string.value);
  }
  std::string operator()(const Bool &constant) const {
    return constant.value ? "true" : "false";
  }
  std::string operator()(const NameUse &name) const { return name.text; }
  std::string operator()(const Tuple &tuple) const {
    return Form("tuple").add(tuple.elements).done();
  }
  std::string operator()(const List &list) const {
    return Form("list").add(list.elements).done();
  }
  std::string operator()(const Unary &unary) const {
    return Form(spelling(unary.op)).add(unary.operand).done();
  }
  std::string operator()(const Binary &binary) const {
    return Form(spelling(binary.op)).add(binary.left).add(binary.right).done();
  }
  std::string operator()(const Pipe &pipe) const {
    return Form("|>").add(pipe.value).add(pipe.target).done();
  }
  std::string operator()(const Slice &slice) const {
    return Form("..").add(slice.begin).add(slice.end).done();
  }
  std::string operator()(const Call &call) const {
    Form form("call");
    form.add(call.callee);
    for (const Argument &argument : call.arguments)
      form.add(argument.name ? fmt::format("{}={}", argument.name->text,
                                           print(*argument.value))
                             : print(*argument.value));
    return form.done();
  }
  std::string operator()(const Index &index) const {
    Form form("index");
    form.add(index.base);
    for (const Subscript &subscript : index.subscripts)
      form.add(subscript.index ? fmt::format("{}:{}", subscript.index->text,
                                             print(*subscript.value))
                               : print(*subscript.value));
    return form.done();
  }
  std::string operator()(const Member &member) const {
    return Form(".").add(member.base).add(member.member.text).done();
  }
};

std::string join(const std::vector<std::string> &parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

struct TypePrinter {
  std::string operator()(const Invalid &) const { return "<invalid>"; }
  std::string operator()(const TensorType &type) const {
    std::string text = type.element.text;
    if (type.bound)
      text += fmt::format("({})", print(*type.bound));
    std::vector<std::string> axes;
    for (const Axis &axis : type.axes)
      axes.push_back(axis.rest ? ".." + axis.rest->text : print(*axis.dim));
    return axes.empty() ? text : fmt::format("{}[{}]", text, join(axes));
  }
  std::string operator()(const TupleType &type) const {
    return fmt::format("({})", all(type.elements));
  }
  std::string operator()(const FnType &type) const {
    return fmt::format("fn({}) -> {}", all(type.parameters),
                       print(*type.result));
  }
  static std::string all(const std::vector<TypePtr> &types) {
    std::vector<std::string> texts;
    for (const TypePtr &type : types)
      texts.push_back(print(*type));
    return join(texts);
  }
};

class TreePrinter {
public:
  std::string file(const File &file) {
    line(fmt::format("file {}", quote(file.source->name())));
    ++depth;
    for (const DeclPtr &decl : file.declarations)
      declaration(*decl);
    return std::move(out);
  }

private:
  void line(std::string_view text) {
    out.append(2 * depth, ' ');
    out += text;
    out += '\n';
  }

  void doc(std::string_view text) {
    while (!text.empty()) {
      size_t end = std::min(text.find('\n'), text.size());
      line(fmt::format("doc {}", quote(text.substr(0, end))));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  /// `: type`, or nothing.
  static std::string typed(const TypePtr &type) {
    return type ? fmt::format(": {}", print(*type)) : "";
  }

  static std::string generics(const std::vector<Generic> &generics) {
    std::vector<std::string> texts;
    for (const Generic &generic : generics)
      texts.push_back((generic.kind == Generic::Kind::Rest   ? ".."
                       : generic.kind == Generic::Kind::Axis ? "axis "
                                                             : "") +
                      generic.name.text);
    return texts.empty() ? "" : fmt::format("[{}]", join(texts));
  }

  void parameters(const std::vector<Parameter> &parameters,
                  std::string_view word = "parameter") {
    for (const Parameter &parameter : parameters)
      line(fmt::format(
          "{} {}{}{}", word, parameter.name.text, typed(parameter.type),
          parameter.defaultValue ? " = " + print(*parameter.defaultValue)
                                 : ""));
  }

  void optional(std::string_view word, const ExprPtr &value) {
    if (value)
      line(fmt::format("{} {}", word, print(*value)));
  }

  void declaration(const Decl &decl) {
    doc(decl.doc);
    prefix = decl.exported ? "export " : "";
    visit(decl, [&](const auto &node) { print(node); });
  }

  /// The first line of a declaration; its parts follow, indented.
  template <typename Parts> void head(std::string_view text, Parts parts) {
    line(prefix + std::string(text));
    prefix.clear();
    ++depth;
    parts();
    --depth;
  }
  void head(std::string_view text) {
    head(text, [] {});
  }

  using Text = std::string;
  static Text print(const Expr &expr) { return ast::print(expr); }
  static Text print(const Type &type) { return ast::print(type); }

  void print(const Invalid &) { head("<invalid>"); }
  void print(const Import &import) {
    head(fmt::format("import {}{}", quote(import.path),
                     import.alias ? " as " + import.alias->text : ""));
  }
  void print(const Dims &dims) {
    head("dims", [&] {
      for (const Dims::Item &item : dims.items)
        line(fmt::format("dim {} = {}", item.name.text, print(*item.value)));
    });
  }
  void print(const Const &constant) {
    head(fmt::format("const {}{} = {}", constant.name.text,
                     typed(constant.type), print(*constant.value)));
  }
  void print(const Data &data) {
    head(fmt::format("data {}", data.name.text), [&] {
      for (const Field &field : data.fields) {
        doc(field.doc);
        line(fmt::format("field {}{}", field.name.text, typed(field.type)));
      }
      for (const Split &split : data.splits)
        line(fmt::format("split {} from {}", split.name.text,
                         print(*split.source)));
    });
  }
  void print(const Param &param) {
    head(fmt::format("param {}{} {} {}", param.name.text, typed(param.type),
                     param.draw ? "~" : "=", print(*param.value)));
  }
  void print(const State &state) {
    head(fmt::format("state {}{} = {}", state.name.text, typed(state.type),
                     print(*state.value)));
  }
  void print(const Layer &layer) {
    head(
        fmt::format("layer {}{} = {}", layer.name.text,
                    layer.count ? fmt::format("[{}]", print(*layer.count)) : "",
                    print(*layer.value)));
  }
  void print(const Module &module) {
    head(
        fmt::format("module {}{}", module.name.text, generics(module.generics)),
        [&] {
          parameters(module.parameters);
          optional("requires", module.requirement);
          for (const DeclPtr &member : module.members)
            declaration(*member);
        });
  }
  void print(const Fn &fn) {
    std::string signature = "fn " + fn.name.text + generics(fn.generics);
    if (fn.library)
      signature =
          fmt::format("extern {} from {}", signature, quote(fn.library->path));
    head(signature, [&] {
      parameters(fn.parameters);
      if (fn.result)
        line(fmt::format("result {}", print(*fn.result)));
      optional("requires", fn.requirement);
      optional("value", fn.value);
      if (fn.body)
        statements(*fn.body);
      backward(fn.backward);
    });
  }
  void print(const Optimizer &optimizer) {
    head(fmt::format("optimizer {}{}", optimizer.name.text,
                     generics(optimizer.generics)),
         [&] {
           parameters(optimizer.parameters);
           for (const DeclPtr &state : optimizer.states)
             declaration(*state);
           head("step", [&] {
             parameters(optimizer.stepParameters);
             statements(optimizer.step);
           });
         });
  }
  void print(const Train &train) {
    std::vector<std::string> fields;
    for (const Name &field : train.fields)
      fields.push_back(field.text);
    head(fmt::format("train{} on {}{}({}), batch {} = {}",
                     train.name ? " " + train.name->text : "",
                     train.dataFile ? train.dataFile->text + "." : "",
                     train.data.text, join(fields), train.batch.text,
                     print(*train.batchSize)),
         [&] {
           for (const Clause &clause : train.clauses)
             visit(clause, [&](const auto &node) { print(node); });
         });
  }
  void print(const Minimize &minimize) {
    head(fmt::format("minimize {}", print(*minimize.loss)), [&] {
      for (const ExprPtr &over : minimize.over)
        optional("over", over);
      optional("using", minimize.optimizer);
      optional("every", minimize.every);
    });
  }
  void print(const Report &report) {
    head(fmt::format("report {} = {}", report.name.text, print(*report.value)));
  }
  void print(const Setting &setting) {
    head(fmt::format("setting {} = {}", setting.name.text,
                     print(*setting.value)));
  }

  void backward(const std::optional<Backward> &backward) {
    if (!backward)
      return;
    head(fmt::format("{}backward ({}, {})",
                     backward->surrogate ? "surrogate " : "",
                     backward->result.text, backward->cotangent.text),
         [&] { statements(backward->body); });
  }

  void statements(const Block &block) {
    for (const StmtPtr &stmt : block.statements)
      visit(*stmt, [&](const auto &node) { print(node); });
  }

  void print(const Let &let) {
    std::vector<std::string> indices;
    for (const IndexVariable &index : let.indices)
      indices.push_back(index.extent ? fmt::format("{}:{}", index.name.text,
                                                   print(*index.extent))
                                     : index.name.text);
    std::string start =
        fmt::format("let {}{}{} {}", let.name.text,
                    indices.empty() ? "" : fmt::format("[{}]", join(indices)),
                    typed(let.type), let.draw ? "~" : "=");
    if (let.loop)
      head(start, [&] { print(*let.loop); });
    else
      head(fmt::format("{} {}", start, print(*let.value)));
  }
  void print(const LetTuple &let) {
    std::vector<std::string> names;
    for (const Name &name : let.names)
      names.push_back(name.text);
    head(fmt::format("let ({}) = {}", join(names), print(*let.value)));
  }
  void print(const Var &var) {
    head(fmt::format("var {}{} = {}", var.name.text, typed(var.type),
                     print(*var.value)));
  }
  void print(const Assign &assign) {
    head(fmt::format("assign {} = {}", assign.target.text,
                     print(*assign.value)));
  }
  void print(const GradAssign &assign) {
    head(fmt::format("grad {} = {}", assign.target.text, print(*assign.value)));
  }
  void print(const For &loop) {
    head(fmt::format("for {} in {}", loop.variable.text, print(*loop.over)),
         [&] { statements(loop.body); });
  }
  void print(const If &branch) {
    head(fmt::format("if {}", print(*branch.condition)),
         [&] { statements(branch.then); });
    if (branch.otherwise)
      head("else", [&] { statements(*branch.otherwise); });
  }
  void print(const Return &statement) {
    head(fmt::format("return {}", print(*statement.value)));
  }
  void print(const Yield &statement) {
    head(fmt::format("yield {}", print(*statement.value)));
  }

  std::string out;
  /// `export `, for the next head.
  std::string prefix;
  unsigned depth = 0;
};

} // namespace

std::string print(const File &file) { return TreePrinter().file(file); }
std::string print(const Expr &expr) { return visit(expr, ExprPrinter()); }
std::string print(const Type &type) { return visit(type, TypePrinter()); }

} // namespace gradus::ast

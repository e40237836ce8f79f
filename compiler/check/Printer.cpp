// The text of `--emit=typed`: the program as it was understood. A line per
// expression, its operands indented below it, its type behind the colon.
#include "compiler/check/Checker.h"

#include <fmt/format.h>

namespace gradus {

namespace typed {

namespace {

class Printer {
public:
  void print(const Program &program);
  std::string text;

private:
  void line(const std::string &content) {
    text.append(indent * 2, ' ');
    text += content + "\n";
  }
  template <typename Body> void block(const Body &body) {
    ++indent;
    body();
    --indent;
  }
  void node(const Expr &expr, const std::string &label,
            std::initializer_list<const Expr *> operands = {});
  void node(const Expr &expr, const std::string &label,
            const std::vector<const Expr *> &operands);
  void print(const Expr &expr);
  void print(const std::vector<Statement> &statements);
  void print(const Module &module);
  void print(const Function &function);
  void print(const Optimizer &optimizer);
  void print(const Data &data);
  void print(const Train &train);
  void print(const std::vector<Requirement> &requirements);

  unsigned indent = 0;
};

std::string entries(const std::vector<unsigned> &list) {
  return fmt::format("[{}]", fmt::join(list, ", "));
}

std::string path(const InstancePath &instance, const std::string &name) {
  std::string result;
  if (instance.file && !instance.file->path.empty())
    result = instance.file->path + ".";
  for (const auto &[layer, element] : instance.layers)
    result += layer->name + (element ? "[" + element->str() + "]." : ".");
  return result + name;
}

std::string rounds(const For &loop) {
  const Interval &interval = *loop.counter->interval;
  return fmt::format("for {} in {}..{}", loop.counter->name,
                     interval.first.str(), interval.end.str());
}

std::string number(double value) { return fmt::format("{}", value); }

std::string generics(const std::vector<const Symbol *> &symbols) {
  std::string result;
  for (const Symbol *symbol : symbols)
    result += fmt::format("{}{}{}{}", result.empty() ? "" : ", ",
                          symbol->kind == Symbol::Pack ? ".." : "",
                          symbol->isAxis ? "axis " : "", symbol->name) +
              (symbol->kind == Symbol::Whole ? ": int" : "");
  return result.empty() ? result : "[" + result + "]";
}

std::string list(const std::vector<Window> &windows) {
  std::string result;
  for (const Window &window : windows)
    result += fmt::format("{}size {} stride {} pad {} dilation {}",
                          result.empty() ? "" : ", ", window.size.str(),
                          window.stride.str(), window.pad.str(),
                          window.dilation.str());
  return "[" + result + "]";
}

std::string list(const std::vector<Local *> &locals) {
  std::string result;
  for (const Local *local : locals)
    result += fmt::format("{}{}: {}", result.empty() ? "" : ", ", local->name,
                          local->type.str());
  return result;
}

std::string indices(const std::vector<const Local *> &list) {
  std::string result;
  for (const Local *index : list)
    result += fmt::format("{}{}: {}", result.empty() ? "" : ", ", index->name,
                          index->extent.str());
  return "[" + result + "]";
}

} // namespace

void Printer::node(const Expr &expr, const std::string &label,
                   const std::vector<const Expr *> &operands) {
  line(label + " : " + expr.type.str());
  block([&] {
    for (const Expr *operand : operands)
      print(*operand);
  });
}

void Printer::node(const Expr &expr, const std::string &label,
                   std::initializer_list<const Expr *> operands) {
  node(expr, label, std::vector<const Expr *>(operands));
}

void Printer::print(const Expr &expr) {
  auto one = [&](const auto &it) {
    using T = std::decay_t<decltype(it)>;
    if constexpr (std::is_same_v<T, Number>) {
      bool isBool = expr.type.element == ElementType::Bool;
      node(expr,
           isBool ? (it.value != 0 ? "true" : "false") : number(it.value));
    } else if constexpr (std::is_same_v<T, DimValue>) {
      node(expr, "dim " + it.dim.str());
    } else if constexpr (std::is_same_v<T, ConstReference>) {
      node(expr, "const " + it.constant->path);
    } else if constexpr (std::is_same_v<T, LocalReference>) {
      node(expr, it.local->name);
    } else if constexpr (std::is_same_v<T, ParamReference>) {
      node(expr, "param " + path(it.instance, it.param->name));
    } else if constexpr (std::is_same_v<T, StateReference>) {
      node(expr, "state " + path(it.instance, it.state->name));
    } else if constexpr (std::is_same_v<T, FunctionReference>) {
      node(expr, "fn " + path(it.instance, it.callee->name));
    } else if constexpr (std::is_same_v<T, CallLocal>) {
      node(expr, "call " + it.local->name, it.arguments);
    } else if constexpr (std::is_same_v<T, AllParams>) {
      node(expr, path(it.instance, "params"));
    } else if constexpr (std::is_same_v<T, Stack>) {
      line(rounds(it.loop) + " : " + expr.type.str());
      block([&] {
        print(it.loop.body);
        line("yield");
        block([&] { print(*it.yield); });
      });
    } else if constexpr (std::is_same_v<T, StatisticReference>) {
      node(expr,
           fmt::format("{}.{}.{}", it.data->path,
                       it.data->fields[it.field].name, str(it.statistic)));
    } else if constexpr (std::is_same_v<T, ScalarReference>) {
      node(expr, str(it.scalar));
    } else if constexpr (std::is_same_v<T, Rank>) {
      node(expr, "rank", {it.operand});
    } else if constexpr (std::is_same_v<T, Elementwise>) {
      node(expr, str(it.op), it.operands);
    } else if constexpr (std::is_same_v<T, Broadcast>) {
      node(expr, "broadcast " + entries(it.entries), {it.operand});
    } else if constexpr (std::is_same_v<T, Convert>) {
      node(expr, "convert", {it.operand});
    } else if constexpr (std::is_same_v<T, Reduce>) {
      node(expr, fmt::format("reduce {} {}", str(it.op), entries(it.entries)),
           {it.operand});
    } else if constexpr (std::is_same_v<T, Contract>) {
      node(expr,
           fmt::format("contract batch {}, {} with {}", it.batch, it.leftEntry,
                       it.rightEntry),
           {it.left, it.right});
    } else if constexpr (std::is_same_v<T, Transpose>) {
      node(expr, "transpose", {it.operand});
    } else if constexpr (std::is_same_v<T, Reshape>) {
      node(expr, "reshape", {it.operand});
    } else if constexpr (std::is_same_v<T, Pick>) {
      node(expr, "pick", {it.operand, it.index});
    } else if constexpr (std::is_same_v<T, OneHot>) {
      node(expr, "one_hot", {it.index});
    } else if constexpr (std::is_same_v<T, Concat>) {
      node(expr, fmt::format("concat {}", it.entry), it.operands);
    } else if constexpr (std::is_same_v<T, Pad>) {
      node(expr, fmt::format("pad {} before {}", it.entry, it.before.str()),
           {it.operand, it.value});
    } else if constexpr (std::is_same_v<T, CumulativeSum>) {
      node(expr, fmt::format("cumsum {}", it.entry), {it.operand});
    } else if constexpr (std::is_same_v<T, Slice>) {
      std::string parts;
      size_t kept = 0;
      for (size_t i = 0; i < it.parts.size(); ++i) {
        const Slice::Part &part = it.parts[i];
        parts += i ? ", " : "";
        if (part.isDropped) {
          parts += part.begin.str();
          continue;
        }
        const Axis &to = expr.type.shape[kept++];
        if (to == it.operand->type.shape[i])
          parts += "all";
        else
          parts += fmt::format("{}..{}", part.begin.str(),
                               (part.begin + to.dim).str());
      }
      node(expr, "slice [" + parts + "]", {it.operand});
    } else if constexpr (std::is_same_v<T, Convolve>) {
      node(expr,
           fmt::format("{} {} groups {}", str(it.op), list(it.windows),
                       it.groups.str()),
           {it.operand, it.weights});
    } else if constexpr (std::is_same_v<T, Pool>) {
      node(expr, fmt::format("{} {}", str(it.op), list(it.windows)),
           {it.operand});
    } else if constexpr (std::is_same_v<T, Solve>) {
      node(expr, "solve", {it.matrix, it.right});
    } else if constexpr (std::is_same_v<T, Cholesky>) {
      node(expr, "cholesky", {it.operand});
    } else if constexpr (std::is_same_v<T, Eye>) {
      node(expr, "eye");
    } else if constexpr (std::is_same_v<T, Iota>) {
      node(expr, "iota");
    } else if constexpr (std::is_same_v<T, Draw>) {
      node(expr, fmt::format("draw {}", str(it.distribution.kind)),
           it.distribution.arguments);
    } else if constexpr (std::is_same_v<T, Stop>) {
      node(expr, "stop", {it.operand});
    } else if constexpr (std::is_same_v<T, Tuple>) {
      node(expr, "tuple", it.elements);
    } else if constexpr (std::is_same_v<T, Call>) {
      std::string bindings;
      for (const GenericBinding &binding : it.generics)
        bindings += fmt::format(
            "{}{} = {}", bindings.empty() ? "" : ", ", binding.generic->name,
            binding.generic->kind == Symbol::Pack ? str(binding.pack)
                                                  : binding.dim.str());
      node(expr,
           fmt::format("call {}{}", path(it.instance, it.callee->name),
                       bindings.empty() ? "" : "[" + bindings + "]"),
           it.arguments);
    } else if constexpr (std::is_same_v<T, ExternCall>) {
      node(expr, fmt::format("extern {}", it.function->name), it.arguments);
    } else if constexpr (std::is_same_v<T, ForEach>) {
      node(expr, "for each " + indices(it.indices), {it.element});
    } else if constexpr (std::is_same_v<T, IndexReduce>) {
      node(expr, fmt::format("{} {}", str(it.op), indices(it.indices)),
           {it.element});
    } else if constexpr (std::is_same_v<T, At>) {
      std::string positions;
      std::vector<const Expr *> operands = operandsOf(expr);
      for (const At::Subscript &subscript : it.subscripts)
        positions +=
            fmt::format("{}{}", positions.empty() ? "" : ", ",
                        subscript.value ? "*" : subscript.position.str());
      node(expr, "at [" + positions + "]", operands);
    } else if constexpr (std::is_same_v<T, Gather>) {
      node(expr, "gather " + entries(it.entries), operandsOf(expr));
    } else {
      std::string targets;
      for (const DerivativeTarget &target : it.targets) {
        targets += targets.empty() ? "" : ", ";
        if (auto *local = std::get_if<Local *>(&target))
          targets += (*local)->name;
        else if (auto *whole = std::get_if<AllParams>(&target))
          targets += path(whole->instance, "params");
        else
          targets += path(std::get<ParamReference>(target).instance,
                          std::get<ParamReference>(target).param->name);
      }
      node(expr, fmt::format("{} by {}", str(it.op), targets),
           operandsOf(expr));
    }
  };
  std::visit(one, expr.node);
}

void Printer::print(const std::vector<Statement> &statements) {
  for (const Statement &statement : statements) {
    if (auto *let = statement.as<Let>()) {
      line(fmt::format("{} {}:", let->local->kind == Local::Var ? "var" : "let",
                       let->local->name));
      block([&] { print(*let->value); });
    } else if (auto *let = statement.as<LetTuple>()) {
      line(fmt::format("let ({}):", list(let->locals)));
      block([&] { print(*let->value); });
    } else if (auto *assign = statement.as<Assign>()) {
      line(fmt::format("{} =", assign->local->name));
      block([&] { print(*assign->value); });
    } else if (auto *assign = statement.as<AssignState>()) {
      const StateReference &target = assign->target;
      line(
          fmt::format("state {} =", path(target.instance, target.state->name)));
      block([&] { print(*assign->value); });
    } else if (auto *result = statement.as<Return>()) {
      line("return");
      block([&] { print(*result->value); });
    } else if (auto *choice = statement.as<If>()) {
      line("if");
      block([&] { print(*choice->condition); });
      line("then");
      block([&] { print(choice->then); });
      if (!choice->otherwise.empty()) {
        line("else");
        block([&] { print(choice->otherwise); });
      }
    } else if (auto *loop = statement.as<For>()) {
      line(rounds(*loop));
      block([&] { print(loop->body); });
    } else if (auto *needed = statement.as<Require>()) {
      line("requires " + needed->requirement.str());
    }
  }
}

void Printer::print(const std::vector<Requirement> &requirements) {
  for (const Requirement &requirement : requirements)
    line("requires " + requirement.str());
}

void Printer::print(const Function &function) {
  line(fmt::format("{}{}fn {}{}({}) -> {}{} {{",
                   function.isExported ? "export " : "",
                   function.library ? "extern " : "", function.name,
                   generics(function.generics), list(function.arguments),
                   function.result.str(),
                   function.library ? " from " + function.library->path : ""));
  block([&] {
    print(function.requirements);
    print(function.statements);
  });
  if (function.backward) {
    const Backward &backward = *function.backward;
    line(fmt::format("}} {}backward ({}, {}) {{",
                     backward.surrogate ? "surrogate " : "",
                     backward.result->name, backward.cotangent->name));
    block([&] {
      print(backward.statements);
      for (size_t i = 0; i < backward.gradients.size(); ++i) {
        if (!backward.gradients[i])
          continue;
        line(fmt::format("grad {}", function.arguments[i]->name));
        block([&] { print(*backward.gradients[i]); });
      }
    });
  }
  line("}");
}

void Printer::print(const Module &module) {
  print(module.requirements);
  for (const Param *param : module.params) {
    auto *distribution = std::get_if<Distribution>(&param->initial);
    line(fmt::format("param {}: {} {}", param->name, param->type.str(),
                     distribution ? std::string("~ ") + str(distribution->kind)
                                  : std::string("=")));
    block([&] {
      if (!distribution)
        return print(*std::get<const Expr *>(param->initial));
      for (const Expr *argument : distribution->arguments)
        print(*argument);
    });
  }
  for (const State *state : module.states) {
    line(fmt::format("state {}: {} =", state->name, state->type.str()));
    block([&] { print(*state->initial); });
  }
  for (const LayerDecl *layer : module.layers) {
    std::string dims;
    for (size_t i = 0; i < layer->dims.size(); ++i) {
      const Symbol *generic = layer->module->generics[i];
      dims += (dims.empty() ? "" : ", ") +
              (generic->kind == Symbol::Whole ? generic->name + " = " : "") +
              layer->dims[i].str();
    }
    line(fmt::format("layer {}{} = {}{}", layer->name,
                     layer->count ? "[" + layer->count->str() + "]" : "",
                     layer->module->name,
                     dims.empty() ? "" : "[" + dims + "]"));
    block([&] {
      for (const Expr *config : layer->config)
        print(*config);
    });
  }
  for (const Function *function : module.functions)
    print(*function);
}

void Printer::print(const Optimizer &optimizer) {
  line(fmt::format("optimizer {}[{}{}]({}) {{", optimizer.name,
                   optimizer.isOverVector() ? "" : "..",
                   optimizer.generic->name, list(optimizer.arguments)));
  block([&] {
    for (const Optimizer::State &state : optimizer.states) {
      line(fmt::format("state {}: {} =", state.local->name,
                       state.local->type.str()));
      block([&] { print(*state.initial); });
    }
    line(fmt::format("step({}, {}{})", optimizer.updated->name,
                     optimizer.gradient->name,
                     optimizer.loss ? ", " + optimizer.loss->name : ""));
    block([&] { print(optimizer.statements); });
  });
  line("}");
}

static std::string str(const CsvColumns::Interval &interval) {
  return fmt::format("{}..{}", interval.begin,
                     interval.end ? fmt::format("{}", *interval.end) : "");
}

static std::string str(const RowChoice &choice) {
  std::string options;
  if (choice.rows)
    options += ", rows = " + str(*choice.rows);
  if (choice.split)
    options +=
        fmt::format(", split = {}..{}", (*choice.split)[0], (*choice.split)[1]);
  if (choice.seed)
    options += fmt::format(", seed = {}", *choice.seed);
  if (choice.missing)
    options += fmt::format(", missing = {}", *choice.missing);
  return options;
}

void Printer::print(const Data &data) {
  line(fmt::format("data {} {{", data.path));
  block([&] {
    for (const Data::Field &field : data.fields)
      line(fmt::format("{}: {}", field.name, field.type.str()));
    for (const Data::Split &split : data.splits) {
      auto *idx = std::get_if<IdxSource>(&split.source);
      if (idx) {
        line(fmt::format("{} from idx \"{}\"", split.name,
                         fmt::join(idx->files, "\" \"")));
        continue;
      }
      if (auto *array = std::get_if<ArraySource>(&split.source)) {
        bool isArchive = !array->archive.empty();
        line(fmt::format("{} from {}{} \"{}\"{}", split.name,
                         isArchive ? "npz" : "npy",
                         isArchive ? " \"" + array->archive + "\":" : "",
                         fmt::join(array->arrays, "\" \""), str(*array)));
        continue;
      }
      if (auto *text = std::get_if<TextSource>(&split.source)) {
        std::string part;
        if (text->part)
          part = fmt::format(", part = {}..{}", text->part->front(),
                             text->part->back());
        line(fmt::format("{} from {} \"{}\"{}", split.name,
                         text->isBytes ? "bytes" : "chars", text->file, part));
        continue;
      }
      if (auto *even = std::get_if<LinspaceSource>(&split.source)) {
        std::string ranges;
        for (auto [begin, end] : even->ends)
          ranges += fmt::format("{}..{}, ", begin, end);
        line(fmt::format("{} from linspace {}rows = {}", split.name, ranges,
                         even->rows));
        continue;
      }
      const auto &csv = std::get<CsvSource>(split.source);
      std::string options;
      for (size_t i = 0; i < csv.columns.size(); ++i) {
        std::string columns;
        for (const auto &item : csv.columns[i].items) {
          columns += columns.empty() ? "" : " ";
          if (auto *name = std::get_if<std::string>(&item))
            columns += "\"" + *name + "\"";
          else if (auto *column = std::get_if<int64_t>(&item))
            columns += fmt::format("{}", *column);
          else
            columns += str(std::get<CsvColumns::Interval>(item));
        }
        options += fmt::format(", {} = {}", data.fields[i].name, columns);
      }
      options += str(csv);
      if (csv.header)
        options += fmt::format(", header = {}", *csv.header);
      line(fmt::format("{} from csv \"{}\"{}", split.name, csv.file, options));
    }
  });
  line("}");
}

void Printer::print(const Train &train) {
  line(fmt::format("train {}on {}({}), batch {} = {} {{",
                   train.name.empty() ? "" : train.name + " ", train.data->path,
                   list(train.fields), train.batch->name,
                   train.batchSize ? fmt::format("{}", *train.batchSize)
                                   : "all"));
  block([&] {
    print(train.requirements);
    print(train.lets);
    for (const Minimize &minimize : train.minimize) {
      line("minimize");
      block([&] { print(*minimize.loss); });
      if (minimize.every > 1)
        line(fmt::format("every {}", minimize.every));
      for (const Minimize::Target &target : minimize.over)
        line("over " + (target.param ? path(target.instance, target.param->name)
                                     : path(target.instance, "*")));
      line("using " + minimize.optimizer->name);
      block([&] {
        for (const Expr *argument : minimize.arguments)
          print(*argument);
      });
    }
    for (const Report &report : train.reports) {
      line(fmt::format("report {}", report.name));
      block([&] { print(*report.value); });
    }
    const Settings &settings = train.settings;
    auto setting = [&](std::string_view name, const auto &value) {
      if (value)
        line(fmt::format("{} = {}", name, *value));
    };
    setting("epochs", settings.epochs);
    setting("steps", settings.steps);
    line(fmt::format("seed = {}", settings.seed));
    setting("clip", settings.clip);
    setting("clip_value", settings.clipValue);
    line(fmt::format("shuffle = {}", settings.shuffle));
    if (settings.accumulate > 1)
      line(fmt::format("accumulate = {}", settings.accumulate));
    setting("eval_every", settings.evalEvery);
    setting("checkpoint_every", settings.checkpointEvery);
  });
  line("}");
}

// What the prelude declares is left out unless the model is the prelude.
void Printer::print(const Program &program) {
  auto isShown = [&](const Source *source) {
    return program.files.size() == 1 || source != program.files[0]->source;
  };
  for (const Symbol *dim : program.dims)
    line(fmt::format("dim {} = {}", dim->name, dim->value));
  for (const Const *constant : program.constants)
    if (isShown(constant->range.source))
      line(fmt::format("const {} = {}", constant->path,
                       number(constant->value)));
  for (const Data *data : program.data)
    print(*data);
  for (const Module *module : program.modules) {
    if (!isShown(module->source))
      continue;
    line(fmt::format("module {}{}({}) {{", module->name,
                     generics(module->generics), list(module->config)));
    block([&] { print(*module); });
    line("}");
  }
  for (const Optimizer *optimizer : program.optimizers)
    if (isShown(optimizer->range.source))
      print(*optimizer);
  for (const Module *file : program.files)
    if (isShown(file->source))
      print(*file);
  for (const Train *train : program.trains)
    print(*train);
}

} // namespace typed

std::string print(const typed::Program &program) {
  typed::Printer printer;
  printer.print(program);
  return std::move(printer.text);
}

} // namespace gradus

// `for`: over a range of whole numbers or over an array of layers, as a
// statement or as the value of a `let`. The body is checked once, with the
// counter as a dim whose interval is known; construct runs it in rounds.
#include "compiler/check/Body.h"

namespace gradus::typed {

// What the counter runs through. Null after an error.
std::optional<Interval> Body::interval(const ast::For &tree, bool isValue) {
  auto *range = tree.over->as<ast::Slice>();
  auto first = range->begin ? dim(*range->begin) : std::optional(Dim(0));
  if (!range->end) {
    state.diagnostics
        .report(diag::NotALoop, tree.over->range,
                shortened(tree.over->range.text()))
        .help("write where it ends: `0..N`");
    return std::nullopt;
  }
  auto end = dim(*range->end);
  if (!first || !end)
    return std::nullopt;
  // A value stacks something; a statement may run zero times.
  Relation relation = isValue ? Relation::Less : Relation::LessEqual;
  if (!require(*first, relation, *end, tree.over->range)) {
    state.diagnostics.report(diag::EmptyRange, tree.over->range,
                             shortened(tree.over->range.text()));
    return std::nullopt;
  }
  return Interval{*first, *end};
}

std::optional<For> Body::loop(const ast::For &tree, bool isValue) {
  std::optional<Interval> rounds;
  Entity meaning;
  if (tree.over->as<ast::Slice>()) {
    rounds = interval(tree, isValue);
  } else if (!tree.over->as<ast::Invalid>()) {
    Entity over = entity(*tree.over);
    std::string text = shortened(tree.over->range.text());
    if (over.kind == Entity::Layer && over.instance.isArray()) {
      rounds = Interval{Dim(0), countOf(over.instance)};
      meaning = over;
    } else if (over.kind != Entity::Unknown) {
      Diagnostic &error =
          state.diagnostics.report(diag::NotALoop, tree.over->range, text);
      if (over.kind == Entity::Dim)
        error.help(fmt::format("count to it: `0..{}`", text),
                   {Edit::before(tree.over->range, "0..")});
      else if (over.kind == Entity::Layer)
        error.here("one layer, not an array");
      else
        error.help("to go along an axis, count: `for i in 0..N`, then `x[i]`");
    }
  }
  claim(tree.variable);
  const Symbol *counter =
      rounds ? state.makeCounter(tree.variable.text, *rounds) : nullptr;
  if (counter && meaning.kind == Entity::Layer) {
    meaning.instance.layers.back().element = Dim(*counter);
    meaning.what = "a layer";
  } else if (counter) {
    meaning.kind = Entity::Dim;
    meaning.symbol = counter;
    meaning.what = "the counter of a loop";
  }
  // Unknown after an error, which keeps the uses of the name quiet.
  auto [place, isNew] = loopNames.emplace(tree.variable.text, meaning);
  bool didRun = loopsRun;
  loopsRun =
      loopsRun && rounds &&
      compare(rounds->first, Relation::Less, rounds->end) == Verdict::Proved;
  blocks.emplace_back();
  For result = {tree.keyword, counter, {}};
  statements(tree.body, result.body);
  blocks.pop_back();
  loopsRun = didRun;
  if (isNew)
    loopNames.erase(place);
  if (!counter || tree.body.broken)
    return std::nullopt;
  return result;
}

const Expr *Body::loopValue(const ast::Let &let) {
  const ast::For &tree = *let.loop;
  const auto &body = tree.body.statements;
  auto *last = body.empty() ? nullptr : body.back()->as<ast::Yield>();
  if (!last) {
    if (!tree.body.broken)
      state.diagnostics.report(diag::NeedsYield, tree.keyword, let.name.text)
          .help("end its block with what each round gives: `yield y`");
    return poison(tree.range);
  }
  auto *outerYield = std::exchange(yield, last);
  auto *outerYielded = std::exchange(yielded, nullptr);
  auto rounds = loop(tree, /*isValue=*/true);
  const Expr *value = std::exchange(yielded, outerYielded);
  yield = outerYield;
  if (!rounds || !value || value->type.isPoison() || !isTensor("yield", value))
    return poison(tree.range);
  Type type = value->type;
  bool varies = type.bound.mentions(rounds->counter);
  for (const Axis &axis : type.shape)
    varies |= axis.dim.mentions(rounds->counter);
  if (varies) {
    state.diagnostics.report(diag::VaryingYield, last->value->range, type.str())
        .here(fmt::format("`{}` is another number in each round",
                          rounds->counter->name));
    return poison(tree.range);
  }
  const Interval &interval = *rounds->counter->interval;
  type.shape.insert(type.shape.begin(), interval.end - interval.first);
  return make(std::move(type), tree.range, Stack{std::move(*rounds), value});
}

} // namespace gradus::typed

#include "runtime/run/Variables.h"

#include "runtime/Random.h"
#include "runtime/run/Safetensors.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <cmath>
#include <set>

using namespace gradus;

namespace {

class Values : public ScratchFolder {
protected:
  static Variable variable(std::string name, Initial initial,
                           std::vector<int64_t> shape = {4},
                           Element element = Element::F32) {
    return {{std::move(name), element, std::move(shape), Access::Read},
            std::move(initial)};
  }
  /// What a model of these variables says to a file of those tensors.
  std::string messageFor(
      std::vector<Variable> variables,
      const std::vector<std::pair<std::string, std::vector<int64_t>>> &saved,
      bool withSlots = false) const {
    std::vector<Tensor> tensors;
    std::vector<std::pair<std::string, const Tensor *>> named;
    tensors.reserve(saved.size());
    for (const auto &[name, shape] : saved) {
      tensors.emplace_back(Element::F32, shape);
      named.emplace_back(name, &tensors.back());
    }
    writeSafetensors(path("w"), {}, named);
    Model model;
    model.variables = std::move(variables);
    Variables values(model, 0);
    return messageOf([&] { values.load(Safetensors(path("w")), withSlots); });
  }
};

} // namespace

TEST_F(Values, StartAsDeclared) {
  Model model;
  model.variables = {
      variable("param/a", {Initial::Constant, 2.5}),
      variable("param/b", {Initial::Normal, 1, 2}),
      variable("param/c", {Initial::Uniform, -3, 3}),
      variable("param/d", {Initial::Bernoulli, 0.5}, {1000}),
      variable("param/e", {Initial::Values, 0, 0, {1, 2, 3, 4}}, {2, 2})};
  Variables values(model, 7);
  EXPECT_EQ(values.find("param/a")->at(3), 2.5);
  Stream b(7, siteOf("param/b")), c(7, siteOf("param/c"));
  EXPECT_EQ(values.find("param/b")->at(2), float(1 + 2 * b.normal(2)));
  EXPECT_EQ(values.find("param/c")->at(1), roundDown(-3 + 6 * c.uniform(1)));
  double sum = 0;
  for (float value : values.find("param/d")->as<float>())
    sum += value;
  EXPECT_NEAR(sum, 500, 80);
  EXPECT_EQ(values.find("param/e")->at(2), 3);
  EXPECT_EQ(values.find("param/f"), nullptr);
  EXPECT_NE(Variables(model, 8).find("param/b")->at(0),
            values.find("param/b")->at(0));
}

TEST_F(Values, StatisticsComeFromTheTrainingSplit) {
  Model model;
  for (auto [kind, name] : {std::pair(DataStatistic::Mean, "mean"),
                            std::pair(DataStatistic::Std, "std"),
                            std::pair(DataStatistic::Min, "min"),
                            std::pair(DataStatistic::Max, "max")})
    model.statistics.push_back(
        {kind,
         {std::string("data/d.x.") + name, Element::F64, {2}, Access::Read},
         "x"});
  Variables values(model, 0);
  Dataset train{"d", "train", 2, {{"x", Element::U8, {2}}}, {}};
  train.values.emplace_back(Element::U8, std::vector<int64_t>{2, 2});
  train.values[0].set(0, 4);
  train.values[0].set(3, 6);
  values.setStatistics(model, train);
  EXPECT_EQ(values.find("data/d.x.mean")->at(0), 2);
  EXPECT_EQ(values.find("data/d.x.std")->at(1), 3);
  EXPECT_EQ(values.find("data/d.x.min")->at(1), 0);
  EXPECT_EQ(values.find("data/d.x.max")->at(0), 4);
}

TEST_F(Values, AreLoadedAtEitherPrecision) {
  Tensor saved(Element::F64, {4});
  saved.fill(1.5);
  writeSafetensors(path("w"), {}, {{"a", &saved}});
  Model model;
  model.variables = {variable("param/a", {}),
                     variable("const/c", {Initial::Constant, 3}, {}),
                     variable("slot/sgd/a.m", {})};
  Variables values(model, 0);
  values.load(Safetensors(path("w")), false);
  EXPECT_EQ(values.find("param/a")->as<float>()[3], 1.5f);
  EXPECT_EQ(values.find("const/c")->at(0), 3);
}

TEST_F(Values, WeightsOfAnotherModelAreRefused) {
  EXPECT_EQ(
      messageFor({variable("param/fc1.W", {}), variable("param/fc2.W", {}),
                  variable("state/n", {})},
                 {{"fc1.W", {8}}, {"fc3.W", {4}}, {"state/n", {4}}}),
      "error[E1005]: the weights in `w` do not fit this model\n"
      "  = note: `fc1.W` is F32[8] in the file and f32[4] in the model\n"
      "  = note: the file lacks `fc2.W`\n"
      "  = note: the model lacks `fc3.W`\n"
      "  = help: these weights were saved by another model; overrides such as "
      "`H=64` must be the same too\n");
}

TEST_F(Values, OnlyTheFirstNamesAreListed) {
  std::vector<Variable> variables;
  std::vector<std::pair<std::string, std::vector<int64_t>>> saved;
  for (char c = 'a'; c < 'h'; ++c) {
    variables.push_back(variable(std::string("param/") + c, {}));
    saved.push_back({std::string("x") + c, {4}});
  }
  std::string message = messageFor(variables, saved);
  EXPECT_NE(message.find("the file lacks `a`, `b`, `c`, `d`, `e` and 2 more\n"),
            std::string::npos);
  for (auto &[name, shape] : saved)
    name = name.substr(1), shape = {5};
  EXPECT_NE(messageFor(variables, saved).find("2 more have another type"),
            std::string::npos);
}

TEST_F(Values, SlotsAreNeededOnlyToGoOn) {
  std::vector<Variable> variables = {variable("param/a", {}),
                                     variable("slot/sgd/a.m", {})};
  EXPECT_EQ(messageFor(variables, {{"a", {4}}}), "");
  EXPECT_EQ(messageFor(variables, {{"a", {4}}, {"slot/adam/a.v", {4}}}), "");
  EXPECT_NE(messageFor(variables, {{"a", {4}}}, true)
                .find("the file lacks `slot/sgd/a.m`"),
            std::string::npos);
}

TEST_F(Values, WholeNumbersKeepTheirType) {
  EXPECT_NE(
      messageFor({variable("param/a", {}, {4}, Element::I64)}, {{"a", {4}}})
          .find("`a` is F32[4] in the file and i64[4] in the model"),
      std::string::npos);
}

TEST_F(Values, DrawsHaveKeysOfTheirOwn) {
  CompiledFunction function;
  for (const char *name : {"draw/0/a", "draw/0/b", "draw/7/a"})
    function.buffers.push_back({name, Element::I32, {3}, Access::Read});
  Model model;
  Variables values(model, 0);
  BoundFunction bound(function, values);
  auto keyOf = [&](const char *name) {
    auto words = bound.find(name)->as<int32_t>();
    return std::vector<int32_t>(words.begin(), words.end());
  };
  std::set<std::vector<int32_t>> keys;
  for (DrawFor purpose : {DrawFor::Training, DrawFor::Evaluation})
    for (uint64_t seed : {uint64_t(0), uint64_t(1), uint64_t(1) << 62})
      for (int64_t step : {1, 2}) {
        bound.setDraws(seed, step, purpose);
        for (const char *name : {"draw/0/a", "draw/0/b", "draw/7/a"})
          keys.insert(keyOf(name));
        // Rounds of a loop differ in the last number alone.
        std::vector<int32_t> first = keyOf("draw/0/a");
        std::vector<int32_t> seventh = keyOf("draw/7/a");
        EXPECT_EQ(first[0], seventh[0]);
        EXPECT_EQ(first[1], seventh[1]);
        EXPECT_EQ(first[2], 0);
        EXPECT_EQ(seventh[2], 7);
      }
  EXPECT_EQ(keys.size(), 36u);
  bound.set("absent", 1);
}

TEST_F(Values, NumberOfTheStepIsCountedExactly) {
  CompiledFunction function;
  function.buffers = {{"t", Element::F32, {}, Access::Read},
                      {"every/2", Element::F32, {}, Access::Read},
                      {"every/5", Element::F32, {}, Access::Read}};
  Model model;
  Variables values(model, 0);
  BoundFunction bound(function, values);
  bound.setStep(10);
  EXPECT_EQ(bound.find("t")->at(0), 10);
  EXPECT_EQ(bound.find("every/2")->at(0), 1);
  EXPECT_EQ(bound.find("every/5")->at(0), 1);
  // Beyond what f32 tells apart.
  bound.setStep(100'000'005);
  EXPECT_EQ(bound.find("every/2")->at(0), 0);
  EXPECT_EQ(bound.find("every/5")->at(0), 1);
}

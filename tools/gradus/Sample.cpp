// `gradus sample`: a text, written by a model one character after another.
#include "runtime/Error.h"
#include "runtime/Random.h"
#include "runtime/run/Sampling.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Exported.h"
#include "tools/gradus/MatchDims.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <unistd.h>

namespace gradus {

using Clock = std::chrono::steady_clock;

/// How the training split of the model is read.
static const TextSource &textOf(const Model &model, const LoadedModel &loaded) {
  const std::vector<Split> &splits = model.data.splits;
  auto split = std::ranges::find(splits, "train", &Split::name);
  if (split == splits.end())
    split = splits.begin();
  if (split != splits.end())
    if (const auto *text = std::get_if<TextSource>(&split->source))
      return *text;
  throw Error(fault::NoText, loaded.path)
      .help("`train` has to be on data from `chars(...)` or `bytes(...)`");
}

/// The characters of the weights; without weights, those of the training split.
static Alphabet alphabetOf(const Model &model, const LoadedModel &loaded,
                           const TrainedValues &values,
                           const CommandLine &line) {
  if (textOf(model, loaded).isBytes)
    return Alphabet();
  const std::string &field = model.data.fields.front().name;
  if (values.labels)
    if (auto known = values.labels->find(field); known != values.labels->end())
      return Alphabet(known->second);
  DataReader reader = dataReader(model, loaded, line, std::nullopt);
  reader.read(reader.trainingSplit().name);
  return Alphabet(reader.classNames().at(field));
}

/// The shape of the window that `function` is compiled for: one row, as long as
/// those it has been trained on. Throws E1061.
static std::vector<int64_t> windowShape(const typed::Function &function,
                                        const Field &field) {
  auto refuse = [&]() -> Error {
    std::string arguments;
    for (const typed::Local *argument : function.arguments)
      arguments += (arguments.empty() ? "" : ", ") + argument->type.str();
    return Error(fault::NotLogits, function.name,
                 fmt::format("({}) -> {}", arguments, function.result.str()))
        .note(fmt::format("the data are {}: {}", field.name, field.type))
        .help("it has to be as in `export fn logits[B, S](text: index(V)[B, "
              "S]) -> real[B, S, V]`");
  };
  if (function.arguments.size() != 1 || function.result.isTuple())
    throw refuse();
  const typed::Type &in = function.arguments[0]->type, &out = function.result;
  auto isPlain = [](const typed::Type &type) {
    return std::ranges::none_of(
        type.shape, [](const typed::Axis &axis) { return axis.isPack(); });
  };
  size_t rank = in.shape.size();
  if (in.element != typed::ElementType::Index ||
      in.bound.constant() != field.classes || rank < 1 || rank > 2 ||
      !isPlain(in) || !isPlain(out) || out.shape.size() != rank + 1 ||
      !typed::isReal(out.element) ||
      out.shape[rank].dim.constant() != field.classes)
    throw refuse();
  std::vector<int64_t> shape;
  for (size_t i = 0; i < rank; ++i) {
    if (!(in.shape[i].dim == out.shape[i].dim))
      throw refuse();
    // Of a window of T + 1 characters, T are what a prediction starts from.
    int64_t usual =
        i + 1 < rank ? 1 : std::max<int64_t>(1, field.elements() - 1);
    shape.push_back(in.shape[i].dim.constant().value_or(usual));
  }
  return shape;
}

namespace {

/// Writes what is drawn to stdout, or keeps it for a JSON document.
class Output {
public:
  explicit Output(bool isKept) : isKept(isKept) {}

  void write(const std::string &piece) {
    text += piece;
    if (isKept)
      return;
    std::fwrite(piece.data(), 1, piece.size(), stdout);
    if (isTerminal)
      std::fflush(stdout);
  }
  const std::string &all() const { return text; }

private:
  bool isKept;
  bool isTerminal = isatty(STDOUT_FILENO) != 0;
  std::string text;
};

} // namespace

static void printJson(const CommandLine &line, const TrainedValues &values,
                      const Alphabet &alphabet, const std::string &text,
                      double milliseconds) {
  nlohmann::ordered_json json;
  json["weights"] = values.weights;
  json["step"] = values.step;
  json["prompt"] = line.prompt;
  json["text"] = text;
  if (alphabet.isBytes())
    json["bytes"] = std::vector<uint8_t>(text.begin(), text.end());
  json["drawn"] = line.length;
  json["ms_per_character"] = milliseconds;
  fmt::print("{}\n",
             json.dump(-1, ' ', false,
                       nlohmann::ordered_json::error_handler_t::replace));
}

ExitCode verbs::sample(const CommandLine &line) {
  Diagnostics diagnostics;
  auto loaded = parseModel(line, diagnostics);
  settle(diagnostics);
  std::vector<std::string> words = line.words;
  std::string name = "logits";
  if (!words.empty() && words[0].find('=') == std::string::npos) {
    name = words[0];
    words.erase(words.begin());
  }
  const ast::Fn *tree = exportedFunction(*loaded, name);
  checkModel(*loaded, line, overridesOf(words, line), diagnostics);
  settle(diagnostics);
  loaded->train();
  const typed::Function &function = *checkedFunction(*loaded, *tree);

  Model model = describeParameters(*loaded);
  textOf(model, *loaded);
  auto dims =
      matchDims(function, {windowShape(function, model.data.fields.front())});
  TrainedValues values = trainedValues(model, *loaded, line);
  Alphabet alphabet = alphabetOf(model, *loaded, values, line);
  std::vector<int32_t> text = alphabet.numbers(line.prompt);
  if (text.empty())
    text.push_back(alphabet.start());

  Compiler compiler(*loaded->program, loaded->options(line));
  auto functions = compiler.exported(function, dims, diagnostics);
  settle(diagnostics);
  BoundFunction bound(std::move(functions.at(function.name)), values.variables);
  bound.setDraws(loaded->seed, 0, DrawFor::Evaluation);
  NextLogits next(bound, function.arguments[0]->name);
  if (!next.isCausal(text, alphabet.size()))
    throw Error(fault::LooksAhead, function.name)
        .note("what it says about a place may depend on the characters up to "
              "that place only");

  Output output(line.json);
  output.write(line.prompt);
  Clock::time_point start = Clock::now();
  Draw draw{line.temperature, line.topK};
  for (int64_t i = 0; i < line.length; ++i) {
    std::vector<double> logits = next.after(text);
    logits.resize(size_t(alphabet.size()));
    Stream stream(loaded->seed, siteOf("sample"), uint32_t(i));
    text.push_back(drawn(std::move(logits), draw, stream.uniform(0)));
    output.write(alphabet.text(text.back()));
  }
  double milliseconds =
      std::chrono::duration<double, std::milli>(Clock::now() - start).count() /
      double(line.length);
  if (line.json)
    printJson(line, values, alphabet, output.all(), milliseconds);
  else if (!alphabet.isBytes() && !output.all().ends_with('\n'))
    fmt::print("\n");
  if (!line.json && (!line.quiet || messagesAreJson()))
    showNote(fmt::format("{} drawn, {:.3g} ms each",
                         counted(uint64_t(line.length),
                                 alphabet.isBytes() ? "byte" : "character"),
                         milliseconds));
  return Fine;
}

} // namespace gradus

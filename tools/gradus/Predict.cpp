// `gradus predict` and `gradus run`: an exported function on values from the
// command line, or on the rows of a split.
#include "runtime/run/Predict.h"
#include "compiler/check/Constants.h"
#include "runtime/Error.h"
#include "tools/gradus/DescribeData.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Exported.h"
#include "tools/gradus/MatchDims.h"
#include "tools/gradus/ResultText.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradus {

namespace {

/// The words behind the model, sorted.
struct Words {
  /// The exported function, as it stands in the syntax tree.
  const ast::Fn *function = nullptr;
  /// Name and text of each value given to an argument.
  std::vector<std::pair<std::string, std::string>> arguments;
  std::vector<std::string> overrides;
};

} // namespace

// A name that is an argument of the function is an argument, else an override.
static Words sortWords(const LoadedModel &loaded, const CommandLine &line) {
  Words result;
  std::string name;
  size_t first = 0;
  if (!line.words.empty() && line.words[0].find('=') == std::string::npos) {
    name = line.words[0];
    first = 1;
  }
  result.function = exportedFunction(loaded, name);
  for (size_t i = first; i < line.words.size(); ++i) {
    const std::string &word = line.words[i];
    size_t equals = word.find('=');
    std::string key = word.substr(0, equals);
    bool isArgument = false;
    for (const ast::Parameter &parameter : result.function->parameters)
      isArgument |= parameter.name.text == key;
    if (!isArgument || equals == std::string::npos) {
      result.overrides.push_back(word);
      continue;
    }
    for (const auto &[given, text] : result.arguments)
      if (given == key)
        throw Error(fault::GivenTwice, key);
    result.arguments.emplace_back(key, word.substr(equals + 1));
  }
  return result;
}

/// The names of what a function returns, for files with several arrays.
static std::vector<std::string> resultNames(const typed::Function &function) {
  if (!function.result.isTuple())
    return {function.name};
  std::vector<std::string> names;
  const typed::Tuple *tuple = nullptr;
  for (const typed::Statement &statement : function.statements)
    if (const auto *returned = statement.as<typed::Return>())
      tuple = returned->value->as<typed::Tuple>();
  for (size_t i = 0; i < function.result.elements.size(); ++i) {
    const auto *local =
        tuple ? tuple->elements[i]->as<typed::LocalReference>() : nullptr;
    names.push_back(local ? local->local->name : std::to_string(i));
  }
  return names;
}

/// Gives results their names and marks those that are an index.
static void nameResults(const typed::Function &function,
                        std::vector<NamedTensor> &results) {
  std::vector<std::string> names = resultNames(function);
  for (size_t i = 0; i < results.size(); ++i) {
    const typed::Type &type = function.result.isTuple()
                                  ? function.result.elements[i]
                                  : function.result;
    results[i].name = names[i];
    results[i].isIndex = type.element == typed::ElementType::Index;
  }
}

static std::vector<std::string> bufferNames(const typed::Function &function) {
  std::vector<std::string> names;
  size_t count =
      function.result.isTuple() ? function.result.elements.size() : 1;
  for (size_t i = 0; i < count; ++i)
    names.push_back(std::to_string(i));
  return names;
}

namespace {

/// A function with all it needs to be run.
class Prediction {
public:
  Prediction(const LoadedModel &loaded, const typed::Function &function,
             const CommandLine &line)
      : loaded(loaded), function(function), line(line),
        compiler(*loaded.program, loaded.options(line)),
        model(describeParameters(loaded)),
        values(trainedValues(model, loaded, line)) {}

  std::vector<NamedTensor>
  onValues(const std::vector<std::pair<std::string, std::string>> &given);
  std::vector<NamedTensor> onSplit();

private:
  CompiledFunction compileFor(const std::vector<std::vector<int64_t>> &shapes);

  const LoadedModel &loaded;
  const typed::Function &function;
  const CommandLine &line;
  Compiler compiler;
  Model model;
  TrainedValues values;
};

} // namespace

CompiledFunction
Prediction::compileFor(const std::vector<std::vector<int64_t>> &shapes) {
  Diagnostics diagnostics;
  auto functions =
      compiler.exported(function, matchDims(function, shapes), diagnostics);
  settle(diagnostics);
  return std::move(functions.at(function.name));
}

std::vector<NamedTensor> Prediction::onValues(
    const std::vector<std::pair<std::string, std::string>> &given) {
  std::vector<NpyArray> arrays;
  std::vector<std::vector<int64_t>> shapes;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const typed::Local &argument = *function.arguments[i];
    auto found =
        std::find_if(given.begin(), given.end(), [&](const auto &word) {
          return word.first == argument.name;
        });
    std::optional<double> usual;
    if (function.defaults[i])
      usual = typed::evaluate(*function.defaults[i]);
    if (found == given.end() && !usual)
      throw Error(fault::ArgumentMissing, function.name, argument.name)
          .help(fmt::format("give it as `{0}=@{0}.npy`{1}", argument.name,
                            argument.type.isScalar()
                                ? fmt::format(" or `{}=0.5`", argument.name)
                                : ""));
    arrays.push_back(
        found == given.end()
            ? parseArgument(argument.name, fmt::format("{}", *usual))
            : parseArgument(found->first, found->second));
    shapes.push_back(arrays.back().shape);
  }
  typed::DimEnvironment dims = matchDims(function, shapes);
  std::vector<NamedTensor> arguments;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const typed::Local &argument = *function.arguments[i];
    ValueType type{argument.name, argument.type.str(),
                   elementOf(argument.type.element, loaded.precision),
                   argument.type.element == typed::ElementType::Index
                       ? argument.type.bound.evaluate(dims)
                       : 0};
    arguments.push_back({argument.name, toTensor(arrays[i], type), false});
  }
  return callFunction(compileFor(shapes), values.variables, arguments,
                      bufferNames(function), loaded.seed);
}

std::vector<NamedTensor> Prediction::onSplit() {
  DataReader data = dataReader(model, loaded, line, values.labels);
  Dataset rows = data.read(line.split);
  std::vector<const Field *> fields;
  for (const typed::Local *argument : function.arguments) {
    int64_t index = rows.find(argument->name);
    if (index < 0)
      throw Error(fault::NoSuchField, argument->name, rows.data)
          .note(fmt::format("with `--split` each argument of `{}` is a field",
                            function.name));
    const Field &field = rows.fields[index];
    if (field.element != elementOf(argument->type.element, loaded.precision))
      throw Error(fault::GivenShape, argument->name, argument->type.str(),
                  fmt::format("field `{}: {}`", field.name, field.type));
    fields.push_back(&field);
  }
  for (const typed::Type &type : function.result.isTuple()
                                     ? function.result.elements
                                     : std::vector{function.result})
    if (type.shape.empty() || type.shape[0].isPack() ||
        function.arguments.empty() ||
        !(type.shape[0] == function.arguments[0]->type.shape[0]))
      throw Error(fault::NoBatchAxis, function.name, type.str())
          .note("with `--split` the first axis of a result has to be that of "
                "its arguments");
  auto compile = [&](int64_t count) {
    std::vector<std::vector<int64_t>> shapes;
    for (const Field *field : fields) {
      shapes.push_back(field->shape);
      shapes.back().insert(shapes.back().begin(), count);
    }
    return compileFor(shapes);
  };
  const typed::Train *train = loaded.program->train;
  return predictSplit(compile, values.variables, rows,
                      train ? train->batchSize.value_or(0) : 0,
                      bufferNames(function), loaded.seed);
}

ExitCode verbs::predict(const CommandLine &line) {
  Diagnostics diagnostics;
  auto loaded = parseModel(line, diagnostics);
  settle(diagnostics);
  Words words = sortWords(*loaded, line);
  checkModel(*loaded, line, overridesOf(words.overrides, line), diagnostics);
  settle(diagnostics);

  const typed::Function *function = checkedFunction(*loaded, *words.function);
  if (!line.split.empty()) {
    loaded->train();
    if (!words.arguments.empty())
      throw Error(fault::SplitAndValues, words.arguments[0].first);
  }
  Prediction prediction(*loaded, *function, line);
  std::vector<NamedTensor> results = line.split.empty()
                                         ? prediction.onValues(words.arguments)
                                         : prediction.onSplit();
  nameResults(*function, results);
  if (!line.output.empty())
    writeResults(line.output, results);
  if (line.json)
    fmt::print("{}\n", jsonText(results));
  else if (line.output.empty())
    fmt::print("{}", plainText(results));
  return Fine;
}

} // namespace gradus

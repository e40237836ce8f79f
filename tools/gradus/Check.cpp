// `gradus check`: everything that can be wrong with a model before it runs, and
// with --info what it consists of.
#include "runtime/Text.h"
#include "runtime/data/DataReader.h"
#include "tools/gradus/DescribeData.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/Verbs.h"

#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace gradus {

using Json = nlohmann::ordered_json;

/// A number of rows to look at; one that most others divide stands for `all`.
static int64_t batchOf(const LoadedModel &loaded) {
  const typed::Train *train = loaded.program->train;
  return train ? train->batchSize.value_or(5040) : 1;
}

/// Names, shapes and types are checked; here follow the derivatives and the
/// reports, which take the step apart.
static void checkTrain(const LoadedModel &loaded, Diagnostics &diagnostics) {
  Compiler compiler(*loaded.program, {loaded.precision, false});
  int64_t batch = batchOf(loaded);
  compiler.emit(Stage::Gradient, batch, llvm::nulls(), diagnostics);
  if (!diagnostics.hasErrors())
    compiler.partials(batch, diagnostics);
  if (!diagnostics.hasErrors())
    compiler.warnOfUnmoved(batch, diagnostics);
}

/// The same for each `train`. Messages point into the models that are loaded
/// for all but the first.
static std::vector<std::unique_ptr<LoadedModel>>
checkTrains(const LoadedModel &first, const CommandLine &line,
            Diagnostics &diagnostics) {
  std::vector<std::unique_ptr<LoadedModel>> others;
  const auto &trains = first.program->trains;
  if (!trains.empty())
    checkTrain(first, diagnostics);
  for (size_t i = 1; i < trains.size() && !diagnostics.hasErrors(); ++i) {
    CommandLine other = line;
    other.train = trains[i]->name;
    others.push_back(loadModel(other));
    checkTrain(*others.back(), diagnostics);
  }
  return others;
}

static Json jsonOf(const Diagnostics &diagnostics) {
  Json list = Json::array();
  for (const Diagnostic *message : diagnostics.sorted())
    list.push_back(jsonOf(*message));
  return list;
}

/// The functions that have no derivatives beyond some order.
static Json limitsOf(const LoadedModel &loaded) {
  Diagnostics diagnostics;
  Json limits = Json::array();
  for (const DerivativeLimit &limit :
       Compiler(*loaded.program, {loaded.precision, false})
           .derivativeLimits(batchOf(loaded), diagnostics))
    limits.push_back({{"name", limit.function->name},
                      {"order", limit.order},
                      {"why", limit.why}});
  return limits;
}

/// What the model consists of.
static Json infoOf(const LoadedModel &loaded) {
  const typed::Program &program = *loaded.program;
  Json info;
  info["parameters"] = Json::array();
  int64_t total = 0;
  construct::Instances instances(program);
  for (const construct::Parameter &parameter : instances.parameters()) {
    BufferInfo buffer{parameter.name, Element::F32, parameter.shape,
                      Access::Read};
    total += buffer.elements();
    info["parameters"].push_back(
        {{"name", parameter.name},
         {"type", str(parameter.declaration->type.element)},
         {"shape", parameter.shape},
         {"numbers", buffer.elements()}});
  }
  info["numbers"] = total;
  info["states"] = Json::array();
  for (const construct::StateVariable &state : instances.states())
    info["states"].push_back(
        {{"name", "state/" + state.name},
         {"type", str(state.declaration->type.element)},
         {"shape", state.shape},
         {"numbers",
          BufferInfo{"", Element::F32, state.shape, Access::Read}.elements()}});
  info["exports"] = Json::array();
  for (const typed::Function *function : program.main->functions) {
    if (!function->isExported)
      continue;
    Json arguments = Json::array();
    for (const typed::Local *argument : function->arguments)
      arguments.push_back(
          {{"name", argument->name}, {"type", argument->type.str()}});
    info["exports"].push_back({{"name", function->name},
                               {"arguments", arguments},
                               {"result", function->result.str()}});
  }
  if (program.train) {
    const typed::Data &data = *program.train->data;
    Json fields = Json::array(), splits = Json::array();
    for (const typed::Data::Field &field : data.fields)
      fields.push_back({{"name", field.name}, {"type", field.type.str()}});
    for (const typed::Data::Split &split : data.splits)
      splits.push_back(split.name);
    info["data"] = {
        {"name", data.path}, {"fields", fields}, {"splits", splits}};
    info["reports"] = Json::array();
    for (const typed::Report &report : program.train->reports)
      info["reports"].push_back(report.name);
  }
  return info;
}

/// `12,345`
static std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (int64_t at = int64_t(text.size()) - 3; at > 0; at -= 3)
    text.insert(size_t(at), ",");
  return text;
}

/// Those of single characters as one string.
static std::string shownNames(const Json &names) {
  std::string text;
  for (const std::string name : names)
    text += (text.empty() || characterLength(name) == name.size() ? "" : ", ") +
            (name == "\n" ? "\\n" : printable(name));
  return text;
}

static std::string textOf(const Json &info) {
  std::string text;
  size_t width = 9;
  for (const char *list : {"parameters", "states"})
    for (const Json &variable : info[list])
      width = std::max(width, variable["name"].get<std::string>().size());
  auto addRow = [&](const Json &variable) {
    auto shape = variable["shape"].get<std::vector<int64_t>>();
    std::string type = variable["type"].get<std::string>();
    if (!shape.empty())
      type += fmt::format("[{}]", fmt::join(shape, ", "));
    text += fmt::format("{:<{}}  {:<20}  {:>12}\n",
                        variable["name"].get<std::string>(), width, type,
                        grouped(variable["numbers"]));
  };
  for (const Json &parameter : info["parameters"])
    addRow(parameter);
  text += fmt::format("{:<{}}  {:<20}  {:>12}\n", "in all", width, "",
                      grouped(info["numbers"]));
  for (const Json &state : info["states"])
    addRow(state);
  for (const Json &function : info["exports"]) {
    text += fmt::format("\nexport {}(", function["name"].get<std::string>());
    bool first = true;
    for (const Json &argument : function["arguments"]) {
      text += fmt::format("{}{}: {}", first ? "" : ", ",
                          argument["name"].get<std::string>(),
                          argument["type"].get<std::string>());
      first = false;
    }
    text += fmt::format(") -> {}", function["result"].get<std::string>());
  }
  if (info.contains("data")) {
    const Json &data = info["data"];
    text += fmt::format("\ndata {}:", data["name"].get<std::string>());
    for (const Json &field : data["fields"])
      text += fmt::format(" {}: {};", field["name"].get<std::string>(),
                          field["type"].get<std::string>());
    auto splits = data["splits"].get<std::vector<std::string>>();
    if (data.contains("rows"))
      for (std::string &split : splits)
        split += fmt::format(" of {}", grouped(data["rows"][split]));
    text += fmt::format(" splits {}", fmt::join(splits, ", "));
    Json known = data.value("names", Json::object());
    for (const auto &[field, names] : known.items())
      text += fmt::format("\n{}: {} names: {}", field, names.size(),
                          shownNames(names));
  }
  text += text.ends_with('\n') ? "" : "\n";
  for (const Json &limit : info["limited_derivatives"]) {
    int order = limit["order"];
    text += fmt::format("{} has {}: {}\n", limit["name"].get<std::string>(),
                        order == 0 ? "no derivative"
                        : order == 1
                            ? "first derivatives only"
                            : fmt::format("derivatives up to order {}", order),
                        limit["why"].get<std::string>());
  }
  return text;
}

/// Reads every split, to find errors of the data. What the splits of the
/// `train` hold becomes part of what there is to say about it.
static void checkData(const LoadedModel &loaded, const CommandLine &line,
                      Json &info) {
  const typed::Train *train = loaded.program->train;
  for (const typed::Data *data : loaded.program->data) {
    DataReader reader(describeData(*data, loaded.precision),
                      loaded.dataFolder(line, *data));
    Json rows = Json::object();
    for (const Split &split : reader.info().splits)
      rows[split.name] = reader.read(split.name).rows;
    if (!train || train->data != data)
      continue;
    info["data"]["rows"] = rows;
    if (!reader.classNames().empty())
      info["data"]["names"] = reader.classNames();
  }
}

ExitCode verbs::check(const CommandLine &line) {
  std::vector<Override> overrides = overridesOf(line.words, line);
  Diagnostics diagnostics;
  auto loaded = parseModel(line, diagnostics);
  checkModel(*loaded, line, overrides, diagnostics);
  std::vector<std::unique_ptr<LoadedModel>> others;
  if (!diagnostics.hasErrors())
    others = checkTrains(*loaded, line, diagnostics);
  bool ok = !diagnostics.hasErrors();
  if (!line.json)
    settle(diagnostics);
  else if (messagesAreJson())
    std::fputs(messageText(diagnostics).c_str(), stderr);
  Json info = ok ? infoOf(*loaded) : Json::object();
  if (ok && !line.data.empty())
    checkData(*loaded, line, info);
  if (ok && (line.info || line.json))
    info["limited_derivatives"] = limitsOf(*loaded);
  if (line.json) {
    Json json;
    json["ok"] = ok;
    json["diagnostics"] = jsonOf(diagnostics);
    json.update(info);
    fmt::print("{}\n",
               json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (line.info) {
    fmt::print("{}", textOf(info));
  }
  return ok ? Fine : UserError;
}

} // namespace gradus

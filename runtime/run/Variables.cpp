#include "runtime/run/Variables.h"

#include "runtime/Error.h"
#include "runtime/data/Statistics.h"
#include "runtime/run/Safetensors.h"

#include <cstring>
#include <stdexcept>

namespace gradus {

static Tensor initialised(const Variable &variable, uint64_t seed) {
  const Initial &initial = variable.initial;
  Tensor value(variable.buffer.element, variable.buffer.shape);
  Stream stream(seed, siteOf(variable.buffer.name));
  switch (initial.kind) {
  case Initial::Constant:
    value.fill(initial.a);
    break;
  case Initial::Normal:
    fillNormal(value, stream, initial.a, initial.b);
    break;
  case Initial::Uniform:
    fillUniform(value, stream, initial.a, initial.b);
    break;
  case Initial::Bernoulli:
    fillBernoulli(value, stream, initial.a);
    break;
  case Initial::Values:
    if (int64_t(initial.values.size()) != value.elements())
      throw std::logic_error("wrong number of values of " +
                             variable.buffer.name);
    for (int64_t i = 0; i < value.elements(); ++i)
      value.set(i, initial.values[size_t(i)]);
    break;
  }
  return value;
}

Variables::Variables(const Model &model, uint64_t seed) {
  for (const Variable &variable : model.variables)
    values.emplace(variable.buffer.name, initialised(variable, seed));
  for (const DataStatistic &statistic : model.statistics)
    values.emplace(statistic.buffer.name,
                   Tensor(statistic.buffer.element, statistic.buffer.shape));
}

void Variables::setStatistics(const Model &model, const Dataset &train) {
  std::map<std::string, Statistics> known;
  for (const DataStatistic &wanted : model.statistics) {
    auto found = known.find(wanted.field);
    if (found == known.end()) {
      int64_t field = train.find(wanted.field);
      if (field < 0)
        throw std::logic_error("no field " + wanted.field + " of " +
                               wanted.buffer.name);
      found =
          known.emplace(wanted.field, statisticsOf(train.values[size_t(field)]))
              .first;
    }
    const Statistics &of = found->second;
    const std::vector<double> &numbers =
        wanted.kind == DataStatistic::Mean  ? of.mean
        : wanted.kind == DataStatistic::Std ? of.std
        : wanted.kind == DataStatistic::Min ? of.min
                                            : of.max;
    Tensor &value = values.at(wanted.buffer.name);
    for (int64_t i = 0; i < value.elements(); ++i)
      value.set(i, numbers.at(size_t(i)));
  }
}

/// The first of many names, for a note.
static std::string listed(const std::vector<std::string> &names) {
  constexpr size_t most = 5;
  std::string text;
  for (size_t i = 0; i < std::min(most, names.size()); ++i)
    text += (i ? ", `" : "`") + names[i] + "`";
  if (names.size() > most)
    text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

/// Real numbers may be of either precision, so that `--precision f64` takes
/// the weights of a run in f32.
static bool convertible(const std::string &from, Element to) {
  if (to == Element::F32 || to == Element::F64)
    return from == "F32" || from == "F64";
  return from == safetensorsType(to);
}

/// What a value is called in the file of a model that is imported as `below`;
/// empty if it does not belong to it. `state/base.bn.mu` is `state/bn.mu`.
static std::string nameBelow(const std::string &saved,
                             const std::string &below) {
  size_t space = saved.rfind('/') + 1; // Past the end is 0.
  if (below.empty())
    return saved;
  if (saved.compare(space, below.size(), below) != 0 ||
      saved.size() <= space + below.size() ||
      saved[space + below.size()] != '.')
    return "";
  return saved.substr(0, space) + saved.substr(space + below.size() + 1);
}

/// The name below which the model has all parameters of the file, if there is
/// one.
static std::string
nameOfImport(const Safetensors &file,
             const std::map<std::string, Tensor, std::less<>> &values) {
  size_t parameters = 0;
  for (const auto &[name, entry] : file.entries())
    parameters += name.find('/') == std::string::npos;
  std::map<std::string, size_t> found;
  for (const auto &[name, value] : values) {
    std::string saved = savedName(name);
    if (saved.find('/') != std::string::npos)
      continue;
    for (size_t dot = saved.find('.'); dot != std::string::npos;
         dot = saved.find('.', dot + 1))
      if (file.find(saved.substr(dot + 1)) &&
          ++found[saved.substr(0, dot)] == parameters)
        return saved.substr(0, dot);
  }
  return "";
}

void Variables::adopt(const Variables &other) {
  for (auto &[name, value] : values) {
    auto found = other.values.find(name);
    bool lasts = !name.starts_with("slot/") && !name.starts_with("const/");
    if (lasts && found != other.values.end())
      std::memcpy(value.data(), found->second.data(), size_t(value.bytes()));
  }
}

void Variables::load(const Safetensors &file, bool withSlots,
                     const std::string &below) {
  std::vector<std::string> missing, extra, different;
  std::map<std::string, Tensor *> wanted;
  for (auto &[name, value] : values) {
    if (name.starts_with("const/") || (name.starts_with("slot/") && !withSlots))
      continue;
    std::string saved = nameBelow(savedName(name), below);
    if (saved.empty())
      continue;
    wanted[saved] = &value;
    const Safetensors::Entry *entry = file.find(saved);
    if (!entry)
      missing.push_back(saved);
    else if (!convertible(entry->type, value.element()) ||
             entry->shape != value.shape())
      different.push_back(
          "`" + saved + "` is " + entry->text() + " in the file and " +
          typeText(value.element(), value.shape()) + " in the model");
  }
  if (wanted.empty() && !below.empty())
    throw Error(fault::NothingBelow, below)
        .help("the name of an import: `import \"base.nn\" as base` is `base`");
  // What an import does not read of its statistics is no fault.
  for (const auto &[name, entry] : file.entries())
    if (!wanted.contains(name) && (withSlots || !name.starts_with("slot/")) &&
        (below.empty() || !name.starts_with("data/")))
      extra.push_back(name);
  if (!missing.empty() || !extra.empty() || !different.empty()) {
    Error error(fault::WeightsMismatch, file.path());
    constexpr size_t most = 5;
    for (size_t i = 0; i < std::min(most, different.size()); ++i)
      error.note(different[i]);
    if (different.size() > most)
      error.note(std::to_string(different.size() - most) +
                 " more have another type");
    if (!missing.empty())
      error.note("the file lacks " + listed(missing));
    if (!extra.empty())
      error.note("the model lacks " + listed(extra));
    std::string import = below.empty() ? nameOfImport(file, values) : "";
    if (!import.empty())
      throw error.help("these are weights of what the model imports as `" +
                       import + "`: write `--weights " + import + "=" +
                       file.path() + "`");
    throw error.help("these weights were saved by another model; overrides "
                     "such as `H=64` must be the same too");
  }
  for (auto &[name, value] : wanted) {
    Tensor loaded = file.read(name).converted(value->element());
    std::memcpy(value->data(), loaded.data(), size_t(value->bytes()));
  }
}

Tensor *Variables::find(std::string_view name) {
  auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

std::string savedName(const std::string &name) {
  return name.starts_with("param/") ? name.substr(6) : name;
}

BoundFunction::BoundFunction(CompiledFunction function, Variables &variables)
    : execution(std::move(function)) {
  const std::vector<BufferInfo> &buffers = execution.function().buffers;
  for (size_t i = 0; i < buffers.size(); ++i) {
    Tensor *value = variables.find(buffers[i].name);
    if (!value)
      value = &own.try_emplace(buffers[i].name, buffers[i].element,
                               buffers[i].shape)
                   .first->second;
    execution.bind(i, *value);
  }
}

Tensor *BoundFunction::find(std::string_view name) {
  auto found = own.find(name);
  return found == own.end() ? nullptr : &found->second;
}

void BoundFunction::set(std::string_view name, double value) {
  if (Tensor *tensor = find(name))
    tensor->set(0, value);
}

void BoundFunction::setDraws(uint64_t seed, int64_t step, DrawFor purpose) {
  constexpr std::string_view space = "draw/";
  for (auto at = own.lower_bound(space);
       at != own.end() && at->first.starts_with(space); ++at) {
    DrawKey key = drawKey(at->first, seed, uint32_t(step), purpose);
    for (size_t i = 0; i < key.size(); ++i)
      at->second.as<int32_t>()[i] = int32_t(key[i]);
  }
}

void BoundFunction::setStep(int64_t number) {
  set("t", double(number));
  constexpr std::string_view space = "every/";
  for (auto at = own.lower_bound(space);
       at != own.end() && at->first.starts_with(space); ++at)
    at->second.set(0, number % std::stoll(at->first.substr(space.size())) == 0);
}

void BoundFunction::connect(const Dataset &rows, std::string_view space) {
  feeds.clear();
  for (size_t i = 0; i < rows.fields.size(); ++i) {
    const Field &field = rows.fields[i];
    Tensor *into = find(std::string(space) + field.name);
    if (!into)
      continue;
    std::vector<int64_t> item = into->shape();
    if (!item.empty())
      item.erase(item.begin());
    if (into->element() != field.element || into->shape().empty() ||
        item != field.shape)
      throw std::logic_error("buffer for field " + field.name + " of " +
                             function().name + " is " +
                             typeText(into->element(), into->shape()));
    feeds.emplace_back(i, into);
  }
}

void BoundFunction::feed(const Batches &batches, int64_t index) const {
  for (const auto &[field, into] : feeds) {
    if (into->shape()[0] != batches.rowsOf(index))
      throw std::logic_error(function().name + " takes " +
                             std::to_string(into->shape()[0]) + " rows");
    batches.gather(index, field, into->data());
  }
}

} // namespace gradus

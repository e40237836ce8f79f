#include "runtime/run/Weights.h"

#include "runtime/Error.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gradus {

void saveWeights(const std::string &path, const Model &model,
                 const Variables &variables, const RunPosition &position,
                 const ClassNames &labels, bool withSlots) {
  Metadata meta{{"format_version", "1"},
                {"model", model.name},
                {"model_hash", model.hash},
                {"step", std::to_string(position.step)},
                {"epoch", std::to_string(position.epoch)},
                {"batch", std::to_string(position.batch)},
                // In hexadecimal, so that no bit is lost.
                {"loss_sum", fmt::format("{:a}", position.lossSum)},
                {"loss_rows", std::to_string(position.lossRows)},
                {"seed", std::to_string(position.seed)}};
  if (!labels.empty())
    meta["labels"] = nlohmann::json(labels).dump();
  std::vector<std::pair<std::string, const Tensor *>> tensors;
  for (const auto &[name, value] : variables.all())
    if (!name.starts_with("const/") &&
        (withSlots || !name.starts_with("slot/")))
      tensors.emplace_back(savedName(name), &value);
  writeSafetensors(path, meta, tensors);
}

/// A number of the metadata.
template <typename T>
static T number(const Safetensors &file, const char *key) {
  auto found = file.metadata().find(key);
  T value{};
  if (found != file.metadata().end()) {
    const std::string &text = found->second;
    const char *end = text.data() + text.size();
    auto result = std::from_chars(text.data(), end, value);
    if (result.ec == std::errc() && result.ptr == end)
      return value;
  }
  throw Error(fault::NotSafetensors, file.path(),
              std::string("its metadata hold no number `") + key + "`")
      .help("only files that `train` has written can be used so");
}

RunPosition positionOf(const Safetensors &file) {
  RunPosition position;
  position.step = number<int64_t>(file, "step");
  position.epoch = number<int64_t>(file, "epoch");
  position.batch = number<int64_t>(file, "batch");
  position.lossRows = number<int64_t>(file, "loss_rows");
  position.seed = number<uint64_t>(file, "seed");
  auto sum = file.metadata().find("loss_sum");
  if (sum != file.metadata().end())
    position.lossSum = std::strtod(sum->second.c_str(), nullptr);
  return position;
}

ClassNames labelsOf(const Safetensors &file) {
  auto found = file.metadata().find("labels");
  if (found == file.metadata().end())
    return {};
  try {
    return nlohmann::json::parse(found->second).get<ClassNames>();
  } catch (const nlohmann::json::exception &) {
    throw Error(fault::NotSafetensors, file.path(),
                "its metadata hold damaged `labels`");
  }
}

std::string weightsFile(const std::string &path) {
  std::error_code code;
  return std::filesystem::is_directory(path, code)
             ? (std::filesystem::path(path) / "weights.safetensors").string()
             : path;
}

std::optional<std::pair<std::string, double>>
firstNotFinite(const Variables &variables) {
  auto first = [](const auto &numbers) -> std::optional<double> {
    for (auto number : numbers)
      if (!std::isfinite(number))
        return number;
    return std::nullopt;
  };
  for (const auto &[name, value] : variables.all()) {
    if (!name.starts_with("param/") && !name.starts_with("state/"))
      continue;
    std::optional<double> bad;
    if (value.element() == Element::F32)
      bad = first(value.as<float>());
    if (value.element() == Element::F64)
      bad = first(value.as<double>());
    if (bad)
      return {{savedName(name), *bad}};
  }
  return std::nullopt;
}

} // namespace gradus

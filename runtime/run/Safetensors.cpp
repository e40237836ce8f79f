#include "runtime/run/Safetensors.h"

#include "runtime/Error.h"
#include "runtime/data/DataFile.h"
#include "runtime/run/OutputFile.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

namespace gradus {

namespace {

struct TypeRow {
  const char *name;
  int bytes;
};
constexpr TypeRow types[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
    {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
    {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

const TypeRow *typeNamed(const std::string &name) {
  for (const TypeRow &row : types)
    if (name == row.name)
      return &row;
  return nullptr;
}

constexpr Element elements[] = {Element::F32, Element::F64, Element::I32,
                                Element::I64, Element::U8,  Element::Bool};

} // namespace

std::string safetensorsType(Element element) {
  switch (element) {
  case Element::F32:
    return "F32";
  case Element::F64:
    return "F64";
  case Element::I32:
    return "I32";
  case Element::I64:
    return "I64";
  case Element::U8:
    return "U8";
  case Element::Bool:
    return "BOOL";
  }
  return "";
}

std::string Safetensors::Entry::text() const {
  return type + typeText(Element::F32, shape).substr(3);
}

Safetensors::Safetensors(std::string path) : file(std::move(path)) {
  bytes = readBytes(file);
  if (bytes.size() < 8)
    refuse("it ends within the length of its header", bytes.size());
  uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  // The limit of the format itself.
  if (length > 100'000'000)
    refuse("it would have a header of " + std::to_string(length) + " bytes", 0);
  if (length > bytes.size() - 8)
    refuse("it ends within its header of " + std::to_string(length) + " bytes",
           bytes.size());
  dataStart = 8 + size_t(length);
  uint64_t dataBytes = bytes.size() - dataStart;
  parseHeader(
      {reinterpret_cast<const char *>(bytes.data()) + 8, size_t(length)},
      dataBytes);
  checkLayout(dataBytes);
}

void Safetensors::refuse(const std::string &why, uint64_t byte) const {
  throw Error(fault::NotSafetensors, file, why)
      .at({file, 0, "byte " + std::to_string(byte), {}, 0, 0, {}});
}

/// Reads JSON in which no object has a key twice: the parser would keep the
/// last one silently.
static nlohmann::json parseStrictly(std::string_view text,
                                    std::string &repeated) {
  using json = nlohmann::json;
  std::vector<std::set<std::string>> open;
  return json::parse(text, [&](int, json::parse_event_t event, json &value) {
    if (event == json::parse_event_t::object_start)
      open.emplace_back();
    else if (event == json::parse_event_t::object_end)
      open.pop_back();
    else if (event == json::parse_event_t::key &&
             !open.back().insert(value.get<std::string>()).second)
      repeated = value.get<std::string>();
    return true;
  });
}

void Safetensors::parseHeader(std::string_view text, uint64_t dataBytes) {
  if (!text.starts_with('{'))
    refuse("its header does not start with `{`", 8);
  nlohmann::json header;
  std::string repeated;
  try {
    header = parseStrictly(text, repeated);
  } catch (const nlohmann::json::parse_error &error) {
    refuse("its header is not valid JSON", 8 + error.byte);
  }
  if (!repeated.empty())
    refuse("`" + repeated + "` occurs twice in its header", 8);
  auto isCount = [](const nlohmann::json &value) {
    return value.is_number_unsigned() && value.get<uint64_t>() < uint64_t(1)
                                                                     << 62;
  };
  for (const auto &[name, value] : header.items()) {
    if (name == "__metadata__") {
      for (const auto &[key, text] : value.items()) {
        if (!value.is_object() || !text.is_string())
          refuse("its metadata are not texts", 8);
        meta[key] = text.get<std::string>();
      }
      continue;
    }
    auto refuseEntry = [&](const std::string &why) {
      refuse("`" + name + "` " + why, 8);
    };
    if (!value.is_object() || !value.contains("dtype") ||
        !value.contains("shape") || !value.contains("data_offsets") ||
        value.size() != 3)
      refuseEntry("is not described by dtype, shape and data_offsets");
    const auto &dims = value["shape"], &offsets = value["data_offsets"];
    const TypeRow *type = value["dtype"].is_string()
                              ? typeNamed(value["dtype"].get<std::string>())
                              : nullptr;
    if (!type)
      refuseEntry("has the unknown dtype " + value["dtype"].dump());
    if (!dims.is_array() || !std::all_of(dims.begin(), dims.end(), isCount))
      refuseEntry("has the shape " + dims.dump());
    if (!offsets.is_array() || offsets.size() != 2 || !isCount(offsets[0]) ||
        !isCount(offsets[1]))
      refuseEntry("has the data_offsets " + offsets.dump());
    Entry entry{type->name, dims.get<std::vector<int64_t>>(), offsets[0],
                offsets[1]};
    if (entry.begin > entry.end || entry.end > dataBytes)
      refuseEntry("lies at the bytes " + std::to_string(entry.begin) + " to " +
                  std::to_string(entry.end) + " of the data, which have " +
                  std::to_string(dataBytes));
    uint64_t size = uint64_t(type->bytes);
    bool overflow = false;
    for (int64_t dim : entry.shape)
      overflow |= __builtin_mul_overflow(size, uint64_t(dim), &size);
    if (overflow || size != entry.end - entry.begin)
      refuseEntry("is " + entry.text() + " but takes " +
                  counted(entry.end - entry.begin, "byte"));
    tensors.emplace(name, std::move(entry));
  }
}

void Safetensors::checkLayout(uint64_t dataBytes) const {
  std::vector<std::pair<uint64_t, const std::string *>> order;
  for (const auto &[name, entry] : tensors)
    if (entry.begin != entry.end)
      order.emplace_back(entry.begin, &name);
  std::sort(order.begin(), order.end());
  uint64_t at = 0;
  for (const auto &[begin, name] : order) {
    if (begin != at)
      refuse("`" + *name +
                 (begin < at ? "` overlaps another tensor"
                             : "` leaves a hole before it"),
             dataStart + begin);
    at = tensors.at(*name).end;
  }
  if (at != dataBytes)
    refuse(counted(dataBytes - at, "byte") + " at its end belong to no tensor",
           dataStart + at);
}

const Safetensors::Entry *Safetensors::find(const std::string &name) const {
  auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

Tensor Safetensors::read(const std::string &name) const {
  const Entry &entry = tensors.at(name);
  for (Element element : elements) {
    if (safetensorsType(element) != entry.type)
      continue;
    Tensor tensor(element, entry.shape);
    std::memcpy(tensor.data(), bytes.data() + dataStart + entry.begin,
                size_t(tensor.bytes()));
    return tensor;
  }
  refuse("`" + name + "` is " + entry.text() + ", which no model uses",
         dataStart + entry.begin);
}

void writeSafetensors(
    const std::string &path, const Metadata &metadata,
    const std::vector<std::pair<std::string, const Tensor *>> &tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const auto &[name, tensor] : tensors) {
    uint64_t end = at + uint64_t(tensor->bytes());
    header[name] = {{"dtype", safetensorsType(tensor->element())},
                    {"shape", tensor->shape()},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.append((64 - (8 + text.size()) % 64) % 64, ' ');
  uint64_t length = text.size();
  OutputFile out(path);
  out.write(&length, 8);
  out.write(text);
  for (const auto &[name, tensor] : tensors)
    out.write(tensor->data(), size_t(tensor->bytes()));
  out.commit();
}

} // namespace gradus

#include "runtime/run/Predict.h"

#include "runtime/Error.h"
#include "runtime/data/Csv.h"
#include "runtime/data/Npz.h"
#include "runtime/run/ResultFiles.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace gradus {

NpyArray parseArgument(const std::string &name, const std::string &text) {
  if (text.starts_with('@')) {
    std::string path = text.substr(1);
    return path.ends_with(".npz") ? NpzFile(path).read(name) : readNpy(path);
  }
  std::optional<double> number = text == "true"    ? 1
                                 : text == "false" ? 0
                                                   : parseNumber(text);
  if (!number)
    throw Error(fault::BadArgument, text)
        .help("write `" + name + "=0.5`, or `" + name +
              "=@x.npy` for an array in a file");
  NpyArray array;
  array.origin = name + "=" + text;
  bool whole = text.find_first_not_of("+-0123456789") == std::string::npos;
  bool truth = text == "true" || text == "false";
  array.literal = true;
  array.kind = truth ? 'b' : whole ? 'i' : 'f';
  array.width = truth ? 1 : 8;
  array.bytes.resize(size_t(array.width));
  int64_t integer = whole ? std::strtoll(text.c_str(), nullptr, 10) : 0;
  if (truth)
    array.bytes[0] = uint8_t(*number);
  else if (whole)
    std::memcpy(array.bytes.data(), &integer, 8);
  else
    std::memcpy(array.bytes.data(), &*number, 8);
  return array;
}

std::vector<NamedTensor> callFunction(CompiledFunction function,
                                      Variables &variables,
                                      const std::vector<NamedTensor> &arguments,
                                      const std::vector<std::string> &results,
                                      uint64_t seed) {
  BoundFunction bound(std::move(function), variables);
  for (const BufferInfo &buffer : bound.function().buffers) {
    if (!buffer.name.starts_with("argument/"))
      continue;
    std::string name = buffer.name.substr(9);
    auto given = std::find_if(
        arguments.begin(), arguments.end(),
        [&](const NamedTensor &argument) { return argument.name == name; });
    if (given == arguments.end())
      throw Error(fault::ArgumentMissing, bound.function().name, name)
          .help("give it as `" + name + "=@" + name + ".npy`" +
                (buffer.shape.empty() ? " or `" + name + "=0.5`" : ""));
    const Tensor &value = given->value;
    if (value.element() != buffer.element || value.shape() != buffer.shape)
      throw Error(fault::GivenShape, name,
                  typeText(buffer.element, buffer.shape),
                  typeText(value.element(), value.shape()));
    std::memcpy(bound.find(buffer.name)->data(), value.data(),
                size_t(value.bytes()));
  }
  bound.setDraws(seed, 0, DrawFor::Evaluation);
  bound.run();
  std::vector<NamedTensor> out;
  for (const std::string &name : results) {
    Tensor *value = bound.find("result/" + name);
    if (!value)
      throw std::logic_error("no buffer result/" + name);
    out.push_back({name, value->copy()});
  }
  return out;
}

std::vector<NamedTensor>
predictSplit(const std::function<CompiledFunction(int64_t batch)> &compile,
             Variables &variables, const Dataset &rows, int64_t batch,
             const std::vector<std::string> &results, uint64_t seed) {
  Batches batches(rows, batch ? batch : rows.rows, false, 0);
  std::vector<NamedTensor> out;
  std::map<int64_t, BoundFunction> bySize;
  for (int64_t index = 0, done = 0; index < batches.count(); ++index) {
    int64_t count = batches.rowsOf(index);
    auto found = bySize.find(count);
    if (found == bySize.end()) {
      found = bySize.try_emplace(count, compile(count), variables).first;
      found->second.connect(rows, "argument/");
    }
    BoundFunction &bound = found->second;
    bound.feed(batches, index);
    bound.setDraws(seed, index, DrawFor::Evaluation);
    bound.run();
    for (size_t i = 0; i < results.size(); ++i) {
      Tensor *part = bound.find("result/" + results[i]);
      if (!part || part->shape().empty() || part->shape()[0] != count)
        throw std::logic_error("result/" + results[i] +
                               " has no axis for the batch");
      if (index == 0) {
        std::vector<int64_t> shape = part->shape();
        shape[0] = rows.rows;
        out.push_back({results[i], Tensor(part->element(), shape)});
      }
      int64_t width = part->bytes() / count;
      std::memcpy(static_cast<char *>(out[i].value.data()) + done * width,
                  part->data(), size_t(part->bytes()));
    }
    done += count;
  }
  return out;
}

void writeResults(const std::string &path,
                  const std::vector<NamedTensor> &results) {
  if (path.ends_with(".npz")) {
    std::vector<NamedBytes> arrays;
    for (const NamedTensor &result : results)
      arrays.emplace_back(result.name, npyBytes(result.value, result.isIndex));
    writeNpz(path, arrays);
    return;
  }
  bool npy = path.ends_with(".npy");
  if (!npy && !path.ends_with(".csv"))
    throw Error(fault::ResultFormat, path)
        .help("the end of its name says how results are written");
  if (results.size() != 1)
    throw Error(fault::SeveralResults, path, results.size())
        .help("write them to an `.npz` file");
  if (npy)
    writeNpy(path, results[0].value, results[0].isIndex);
  else
    writeCsv(path, results[0].name, results[0].value);
}

} // namespace gradus

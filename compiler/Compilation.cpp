// See Compilation.h. The fields of each struct are listed once, for writing and
// for reading: numbers as they lie in memory, lists behind their length.
#include "compiler/Compilation.h"

#include <concepts>
#include <cstring>

namespace gradus {

namespace {

/// T is S or const S.
template <typename T, typename S>
concept Is = std::same_as<std::remove_const_t<T>, S>;

void fields(auto &archive, Is<BufferInfo> auto &x) {
  archive(x.name, x.element, x.shape, x.access);
}
void fields(auto &archive, Is<Location> auto &x) {
  archive(x.space, x.buffer, x.offset);
}
void fields(auto &archive, Is<KeptRounds> auto &x) {
  archive(x.place, x.rounds, x.every, x.bytes);
}
void fields(auto &archive, Is<fuse::Plan> auto &x) {
  archive(x.name, x.buffers, x.calls, x.arenaBytes);
}
void fields(auto &archive, Is<fuse::PlannedCall> auto &x) {
  archive(x.kernel, x.operands, x.flops, x.loop);
}
void fields(auto &archive, Is<fuse::PlannedLoop> auto &x) {
  archive(x.body, x.rounds, x.reverse, x.carried, x.over, x.with,
          x.isConditional);
}
void fields(auto &archive, Is<native::KernelObject> auto &x) {
  archive(x.name, x.object, x.scratchBytes, x.isSplit);
}
void fields(auto &archive, Is<Compilation> auto &x) {
  archive(x.plans, x.kept, x.kernels);
}

template <typename T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class Writer {
public:
  template <typename... Ts> void operator()(const Ts &...values) {
    (write(values), ...);
  }
  std::string bytes;

private:
  void write(const Number auto &number) {
    bytes.append(reinterpret_cast<const char *>(&number), sizeof(number));
  }
  void write(const std::string &text) {
    write(text.size());
    bytes += text;
  }
  template <typename T> void write(const std::vector<T> &list) {
    write(list.size());
    for (const T &element : list)
      write(element);
  }
  template <typename K, typename V> void write(const std::map<K, V> &map) {
    write(map.size());
    for (const auto &[key, value] : map)
      (*this)(key, value);
  }
  template <typename T> void write(const std::shared_ptr<T> &pointer) {
    write(pointer != nullptr);
    if (pointer)
      write(*pointer);
  }
  template <typename T>
    requires std::is_class_v<T>
  void write(const T &structure) {
    fields(*this, structure);
  }
};

/// Reads as far as the bytes go; `isWhole` tells whether they were enough.
class Reader {
public:
  explicit Reader(std::string_view bytes) : rest(bytes) {}
  template <typename... Ts> void operator()(Ts &...values) {
    (read(values), ...);
  }
  bool isWhole() const { return enough && rest.empty(); }

private:
  std::string_view take(size_t count) {
    enough &= count <= rest.size();
    std::string_view taken = rest.substr(0, enough ? count : 0);
    rest.remove_prefix(taken.size());
    return taken;
  }
  void read(Number auto &number) {
    std::string_view bytes = take(sizeof(number));
    std::memcpy(&number, bytes.data(), bytes.size());
  }
  /// No element takes less than a byte.
  size_t readLength() {
    size_t length = 0;
    read(length);
    enough &= length <= rest.size();
    return enough ? length : 0;
  }
  void read(std::string &text) { text = take(readLength()); }
  template <typename T> void read(std::vector<T> &list) {
    for (size_t i = readLength(); i > 0 && enough; --i)
      read(list.emplace_back());
  }
  template <typename K, typename V> void read(std::map<K, V> &map) {
    for (size_t i = readLength(); i > 0 && enough; --i) {
      K key;
      read(key);
      read(map[key]);
    }
  }
  template <typename T> void read(std::shared_ptr<const T> &pointer) {
    bool isThere = false;
    read(isThere);
    if (!isThere || !enough)
      return;
    auto made = std::make_shared<T>();
    read(*made);
    pointer = std::move(made);
  }
  template <typename T>
    requires std::is_class_v<T>
  void read(T &structure) {
    fields(*this, structure);
  }

  std::string_view rest;
  bool enough = true;
};

} // namespace

std::string bytesOf(const Compilation &compilation) {
  Writer writer;
  writer(compilation);
  return std::move(writer.bytes);
}

std::optional<Compilation> readCompilation(std::string_view bytes) {
  Reader reader(bytes);
  Compilation compilation;
  reader(compilation);
  if (!reader.isWhole())
    return std::nullopt;
  return compilation;
}

llvm::Expected<std::map<std::string, CompiledFunction>>
link(const Compilation &compilation, const std::shared_ptr<Team> &team,
     const std::map<std::string, void *> &externs) {
  auto code = native::link(compilation.kernels, externs);
  if (!code)
    return code.takeError();
  std::map<std::string, CompiledFunction> functions;
  for (const fuse::Plan &plan : compilation.plans) {
    CompiledFunction &function = functions[plan.name];
    function = fuse::compiledFunction(
        plan, [&](KernelCall &call) { (*code)->link(call); }, team);
    function.code = *code;
    if (auto kept = compilation.kept.find(plan.name);
        kept != compilation.kept.end())
      function.kept = kept->second;
  }
  return functions;
}

} // namespace gradus

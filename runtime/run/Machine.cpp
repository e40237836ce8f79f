// See Machine.h. Files that are absent or say something unexpected leave what
// they would tell unknown.
#include "runtime/run/Machine.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <unistd.h>

namespace gradus {

namespace {

std::string firstLine(const std::string &path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The value of the first line `key SEPARATOR value`.
std::string valueOf(const std::string &path, const std::string &key,
                    char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    size_t at = line.find(separator);
    if (!line.starts_with(key) || at == std::string::npos ||
        line.find_first_not_of(" \t", key.size()) != at)
      continue;
    size_t begin = line.find_first_not_of(" \t\"", at + 1);
    size_t end = line.find_last_not_of(" \t\"\r");
    return begin == std::string::npos ? ""
                                      : line.substr(begin, end + 1 - begin);
  }
  return "";
}

std::optional<double> number(const std::string &text) {
  std::istringstream in(text);
  double value = 0;
  if (in >> value)
    return value;
  return std::nullopt;
}

template <typename T>
void lower(std::optional<T> &limit, std::optional<double> to) {
  if (to && *to > 0 && (!limit || T(*to) < *limit))
    limit = T(*to);
}

/// Limits of a cgroup and of all that it is in. `path` may not be visible from
/// inside of a container; then the mount is that of the process.
template <typename Read>
void upwards(const std::string &mount, std::string path, Read read) {
  while (true) {
    read(mount + path);
    if (path.empty() || path == "/")
      return;
    path.resize(path.rfind('/'));
  }
}

void readCgroups(const std::string &root, Machine &machine) {
  std::optional<int64_t> memory;
  auto processorTime = [&](std::optional<double> quota,
                           std::optional<double> period) {
    if (quota && period && *period > 0)
      lower(machine.quota, *quota / *period);
  };
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // `4:memory:/path`, or `0::/path` for version 2.
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    std::string list = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1), mount = root + "/sys/fs/cgroup";
    if (list.empty()) {
      upwards(mount, path, [&](const std::string &group) {
        std::istringstream share(firstLine(group + "/cpu.max"));
        std::string quota, period;
        share >> quota >> period;
        processorTime(number(quota), number(period));
        lower(memory, number(firstLine(group + "/memory.max")));
      });
      continue;
    }
    std::istringstream controllers(list);
    for (std::string controller; std::getline(controllers, controller, ',');) {
      if (controller == "cpu")
        upwards(mount + "/cpu", path, [&](const std::string &group) {
          processorTime(number(firstLine(group + "/cpu.cfs_quota_us")),
                        number(firstLine(group + "/cpu.cfs_period_us")));
        });
      else if (controller == "memory")
        upwards(mount + "/memory", path, [&](const std::string &group) {
          lower(memory, number(firstLine(group + "/memory.limit_in_bytes")));
        });
    }
  }
  // Without a limit, version 1 gives a number beyond all memories.
  if (memory && (machine.memory == 0 || *memory < machine.memory))
    machine.memoryLimit = memory;
}

void readCaches(const std::string &root, Machine &machine) {
  for (int i = 0;; ++i) {
    std::string folder =
        root + "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i);
    std::string size = firstLine(folder + "/size");
    std::optional<double> level = number(firstLine(folder + "/level")),
                          amount = number(size);
    if (!level || !amount)
      return;
    int64_t unit = size.ends_with('K')   ? 1 << 10
                   : size.ends_with('M') ? 1 << 20
                                         : 1;
    machine.caches.push_back({unsigned(*level), firstLine(folder + "/type"),
                              int64_t(*amount) * unit});
  }
}

/// A virtual machine may lack the folders; the C library asks the processor.
/// What it says of the third cache is the sum of all that the chip has.
void askCaches(Machine &machine) {
  auto ask = [&](unsigned level, const char *type, int name) {
    if (long bytes = sysconf(name); bytes > 0)
      machine.caches.push_back({level, type, bytes});
  };
  ask(1, "Data", _SC_LEVEL1_DCACHE_SIZE);
  ask(1, "Instruction", _SC_LEVEL1_ICACHE_SIZE);
  ask(2, "Unified", _SC_LEVEL2_CACHE_SIZE);
}

int64_t memoryOf(const std::string &root, const std::string &key) {
  return int64_t(number(valueOf(root + "/proc/meminfo", key, ':')).value_or(0) *
                 1024);
}

} // namespace

unsigned Machine::threads() const {
  unsigned count = std::max(1u, std::min(processors, allowed));
  if (quota)
    count = std::min(count, unsigned(std::max(1.0, std::ceil(*quota))));
  return count;
}

Machine readMachine(const std::string &root) {
  Machine machine;
  machine.processor = valueOf(root + "/proc/cpuinfo", "model name", ':');
  machine.system = valueOf(root + "/etc/os-release", "PRETTY_NAME", '=');
  machine.memory = memoryOf(root, "MemTotal");
  machine.memoryAvailable = memoryOf(root, "MemAvailable");
  machine.processors = unsigned(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  cpu_set_t bound;
  CPU_ZERO(&bound);
  machine.allowed = sched_getaffinity(0, sizeof bound, &bound) == 0
                        ? unsigned(CPU_COUNT(&bound))
                        : machine.processors;
  readCgroups(root, machine);
  readCaches(root, machine);
  if (root.empty() && machine.caches.empty())
    askCaches(machine);
  return machine;
}

} // namespace gradus

// What is read from the files of the operating system, from copies of them.
#include "runtime/run/Machine.h"
#include "ScratchFolder.h"

using namespace gradus;

namespace {

class MachineTest : public ScratchFolder {
protected:
  void put(const std::string &name, const std::string &text) {
    std::filesystem::create_directories(
        std::filesystem::path(path(name)).parent_path());
    write(name, text);
  }
};

TEST_F(MachineTest, NothingIsKnownWithoutFiles) {
  Machine machine = readMachine(folder);
  EXPECT_EQ(machine.processor, "");
  EXPECT_EQ(machine.memory, 0);
  EXPECT_TRUE(machine.caches.empty());
  EXPECT_FALSE(machine.quota);
  EXPECT_FALSE(machine.memoryLimit);
  EXPECT_GE(machine.threads(), 1u);
}

#ifdef __x86_64__
TEST(Machine, CachesAreKnownWithoutFilesOfThem) {
  Machine machine = readMachine();
  ASSERT_FALSE(machine.caches.empty());
  EXPECT_EQ(machine.caches[0].level, 1u);
  EXPECT_GE(machine.caches[0].bytes, 8 * 1024);
}
#endif

TEST_F(MachineTest, ProcessorMemoryAndSystem) {
  put("proc/cpuinfo", "processor\t: 0\nmodel\t\t: 207\n"
                      "model name\t: A Processor @ 2.00GHz\nflags\t: fpu\n");
  put("proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\n"
                      "MemAvailable: 900 kB\n");
  put("etc/os-release", "NAME=\"X\"\nPRETTY_NAME=\"System 12 (name)\"\n");
  put("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
  put("sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n");
  put("sys/devices/system/cpu/cpu0/cache/index0/size", "48K\n");
  put("sys/devices/system/cpu/cpu0/cache/index1/level", "2\n");
  put("sys/devices/system/cpu/cpu0/cache/index1/type", "Unified\n");
  put("sys/devices/system/cpu/cpu0/cache/index1/size", "2M\n");
  Machine machine = readMachine(folder);
  EXPECT_EQ(machine.processor, "A Processor @ 2.00GHz");
  EXPECT_EQ(machine.system, "System 12 (name)");
  EXPECT_EQ(machine.memory, 1000 * 1024);
  EXPECT_EQ(machine.memoryAvailable, 900 * 1024);
  ASSERT_EQ(machine.caches.size(), 2u);
  EXPECT_EQ(machine.caches[0].bytes, 48 * 1024);
  EXPECT_EQ(machine.caches[1].level, 2u);
  EXPECT_EQ(machine.caches[1].type, "Unified");
  EXPECT_EQ(machine.caches[1].bytes, 2 * 1024 * 1024);
}

TEST_F(MachineTest, TheSmallestLimitOnTheWayUpCounts) {
  put("proc/meminfo", "MemTotal: 1000000 kB\n");
  put("proc/self/cgroup", "0::/outer/inner\n");
  put("sys/fs/cgroup/outer/cpu.max", "150000 100000\n");
  put("sys/fs/cgroup/outer/memory.max", "500000000\n");
  put("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  put("sys/fs/cgroup/outer/inner/memory.max", "600000000\n");
  Machine machine = readMachine(folder);
  ASSERT_TRUE(machine.quota);
  EXPECT_DOUBLE_EQ(*machine.quota, 1.5);
  EXPECT_EQ(machine.memoryLimit, 500000000);
  EXPECT_LE(machine.threads(), 2u);
}

TEST_F(MachineTest, TheFirstVersionOfCgroups) {
  put("proc/meminfo", "MemTotal: 1000000 kB\n");
  // As seen from inside of a container: the path is not below the mount.
  put("proc/self/cgroup", "4:memory:/not/visible\n1:cpu,cpuacct:/a\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "50000\n");
  put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  Machine machine = readMachine(folder);
  EXPECT_FALSE(machine.memoryLimit);
  ASSERT_TRUE(machine.quota);
  EXPECT_DOUBLE_EQ(*machine.quota, 0.5);
  EXPECT_EQ(machine.threads(), 1u);
}

TEST_F(MachineTest, ThisMachine) {
  Machine machine = readMachine();
  EXPECT_GE(machine.processors, 1u);
  EXPECT_GE(machine.allowed, 1u);
  EXPECT_GT(machine.memory, 0);
  EXPECT_LE(machine.threads(), machine.processors);
}

} // namespace

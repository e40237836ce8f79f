// See CacheFolder.h. An entry is a few lines of text, which tell what it is and
// hold the checksum of the bytes behind them. It is written under a temporary
// name and renamed; two processes that write the same write equal files.
#include "compiler/CacheFolder.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/xxhash.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradus {

namespace fs = std::filesystem;

static constexpr std::string_view magic = "gradus code 1";
static constexpr std::string_view suffix = ".code";
/// Of files that are being written.
static constexpr std::string_view partSuffix = ".part";

std::string hashOf(std::string_view text) {
  llvm::BLAKE3 hash;
  hash.update(llvm::StringRef(text.data(), text.size()));
  return llvm::toHex(hash.final<20>(), /*LowerCase=*/true);
}

//===-- The build ---------------------------------------------------------===//

/// The build id in a segment of notes; empty if there is none.
static std::string_view buildIdIn(std::string_view notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof(note));
    notes.remove_prefix(sizeof(note));
    auto padded = [](size_t size) { return (size + 3) & ~size_t(3); };
    size_t name = padded(note.n_namesz), id = padded(note.n_descsz);
    if (name + id > notes.size())
      return {};
    if (note.n_type == NT_GNU_BUILD_ID &&
        notes.starts_with(std::string_view("GNU\0", 4)))
      return notes.substr(name, note.n_descsz);
    notes.remove_prefix(name + id);
  }
  return {};
}

/// Appends the build id of a program or library in memory to `data`, a string.
/// Of one without an id only its name is known, and a program needs one. What
/// the kernel adds, without a file, is no part of the compiler.
static int addBuildId(dl_phdr_info *info, size_t, void *data) {
  std::string &ids = *static_cast<std::string *>(data);
  std::string_view name = info->dlpi_name;
  bool isProgram = name.empty();
  if (!isProgram && !name.starts_with('/'))
    return 0;
  std::string_view id;
  for (const auto &segment :
       llvm::ArrayRef(info->dlpi_phdr, size_t(info->dlpi_phnum)))
    if (segment.p_type == PT_NOTE && id.empty()) {
      uintptr_t start = info->dlpi_addr + segment.p_vaddr;
      // NOLINTNEXTLINE(performance-no-int-to-ptr): addresses come as numbers.
      id = buildIdIn({reinterpret_cast<const char *>(start), segment.p_memsz});
    }
  if (isProgram && id.empty()) {
    ids.clear();
    return 1;
  }
  ids += id.empty() ? name : id;
  return 0;
}

const std::string &buildIdentity() {
  static const std::string identity = [] {
    std::string ids;
    dl_iterate_phdr(addBuildId, &ids);
    return ids.empty() ? ids : hashOf(ids);
  }();
  return identity;
}

//===-- Entries -----------------------------------------------------------===//

namespace {

/// The text in front of an entry's bytes.
struct Header {
  CacheKey key;
  std::string title, checksum;
  size_t size = 0;
};

} // namespace

static std::string checksumOf(std::string_view bytes) {
  auto hash = llvm::xxh3_128bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

static std::string textOf(const Header &header) {
  return fmt::format("{}\ntitle {}\nbuild {}\nprocessor {}\nsettings "
                     "{}\ngraph {}\nchecksum {}\nsize {}\n",
                     magic, header.title, header.key.build,
                     header.key.processor, header.key.settings,
                     header.key.graph, header.checksum, header.size);
}

/// Reads what `textOf` has written.
static std::optional<Header> readHeader(std::istream &file) {
  std::string line, size;
  if (!std::getline(file, line) || line != magic)
    return std::nullopt;
  Header header;
  const std::pair<std::string_view, std::string *> fields[] = {
      {"title ", &header.title},
      {"build ", &header.key.build},
      {"processor ", &header.key.processor},
      {"settings ", &header.key.settings},
      {"graph ", &header.key.graph},
      {"checksum ", &header.checksum},
      {"size ", &size}};
  for (const auto &[name, value] : fields) {
    if (!std::getline(file, line) || !line.starts_with(name))
      return std::nullopt;
    *value = line.substr(name.size());
  }
  if (llvm::StringRef(size).getAsInteger(10, header.size))
    return std::nullopt;
  return header;
}

/// Files of others could be made to run as this user.
static bool isOwn(const fs::path &file) {
  struct stat status = {};
  return stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == geteuid();
}

CacheFolder::CacheFolder(fs::path path, int64_t limit)
    : folder(std::move(path)), limit(limit) {}

std::optional<fs::path> CacheFolder::usualPath() {
  if (const char *own = std::getenv("GRADUS_CACHE"))
    return *own ? std::optional<fs::path>(own) : std::nullopt;
  // A relative path is to be ignored, says the XDG base directory
  // specification.
  if (const char *all = std::getenv("XDG_CACHE_HOME"); all && *all == '/')
    return fs::path(all) / "gradus";
  if (const char *home = std::getenv("HOME"); home && *home == '/')
    return fs::path(home) / ".cache" / "gradus";
  return std::nullopt;
}

fs::path CacheFolder::fileOf(const CacheKey &key) const {
  std::string all = fmt::format("{}\n{}\n{}\n{}", key.build, key.processor,
                                key.settings, key.graph);
  return folder / (hashOf(all) + std::string(suffix));
}

std::optional<std::string> CacheFolder::read(const CacheKey &key) const {
  fs::path path = fileOf(key);
  if (key.build.empty() || !isOwn(path))
    return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::optional<Header> header = readHeader(file);
  if (!header || header->key != key)
    return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() != header->size || checksumOf(bytes) != header->checksum)
    return std::nullopt;
  std::error_code ignored;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return bytes;
}

/// The files of entries in `folder`; those that nobody will complete are
/// deleted.
static std::vector<fs::directory_entry> filesIn(const fs::path &folder) {
  std::vector<fs::directory_entry> files;
  std::error_code ignored;
  auto longAgo = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (fs::directory_iterator next(folder, ignored), end; next != end;
       next.increment(ignored)) {
    if (next->path().extension() == suffix)
      files.push_back(*next);
    else if (next->path().filename().string().find(partSuffix) !=
                 std::string::npos &&
             next->last_write_time(ignored) < longAgo)
      fs::remove(next->path(), ignored);
  }
  return files;
}

/// Deletes what has not been used for longest until all take at most `limit`.
static void shrink(const fs::path &folder, int64_t limit) {
  struct File {
    fs::path path;
    fs::file_time_type used;
    int64_t bytes;
  };
  std::vector<File> files;
  int64_t total = 0;
  for (const fs::directory_entry &entry : filesIn(folder)) {
    std::error_code gone, ignored;
    File file{entry.path(), entry.last_write_time(ignored),
              int64_t(entry.file_size(gone))};
    if (gone)
      continue;
    total += file.bytes;
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const File &a, const File &b) { return a.used < b.used; });
  for (const File &file : files) {
    if (total <= limit)
      return;
    std::error_code ignored;
    fs::remove(file.path, ignored);
    total -= file.bytes;
  }
}

static bool writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR)
      return false;
    bytes.remove_prefix(size_t(std::max<ssize_t>(count, 0)));
  }
  return true;
}

void CacheFolder::write(const CacheKey &key, std::string_view title,
                        std::string_view bytes) const {
  Header header{key, std::string(title), checksumOf(bytes), bytes.size()};
  std::replace(header.title.begin(), header.title.end(), '\n', ' ');
  std::string text = textOf(header);
  if (key.build.empty() || int64_t(text.size() + bytes.size()) > limit)
    return;
  std::error_code error;
  if (!fs::exists(folder, error) && fs::create_directories(folder, error))
    fs::permissions(folder, fs::perms::owner_all, error);
  fs::path target = fileOf(key);
  std::string temporary = target.string() + std::string(partSuffix) + "-XXXXXX";
  int file = mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0)
    return;
  // No sync: what a crash leaves has another checksum.
  bool isWritten = writeAll(file, text) && writeAll(file, bytes);
  if ((close(file) != 0) | !isWritten ||
      std::rename(temporary.c_str(), target.c_str()) != 0)
    unlink(temporary.c_str());
  else
    shrink(folder, limit);
}

std::vector<CacheFolder::Entry> CacheFolder::entries() const {
  std::vector<Entry> entries;
  for (const fs::directory_entry &found : filesIn(folder)) {
    std::ifstream file(found.path(), std::ios::binary);
    std::optional<Header> header = readHeader(file);
    std::error_code gone, ignored;
    auto bytes = int64_t(found.file_size(gone));
    if (!header || gone || !isOwn(found.path()))
      continue;
    entries.push_back({std::move(header->key), std::move(header->title), bytes,
                       found.last_write_time(ignored)});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.used > b.used; });
  return entries;
}

std::string CacheFolder::whyMissing(const CacheKey &key,
                                    std::string_view title) const {
  if (key.build.empty())
    return "this program has no build id";
  std::vector<Entry> all = entries();
  auto find = [&](auto claim) {
    return std::find_if(all.begin(), all.end(), claim);
  };
  if (find([&](const Entry &entry) { return entry.key == key; }) != all.end())
    return "the entry is damaged";
  if (auto same = find(
          [&](const Entry &entry) { return entry.key.graph == key.graph; });
      same != all.end())
    return same->key.build != key.build
               ? "it is there, but of another build of gradus"
           : same->key.processor != key.processor
               ? "it is there, but for another processor"
               : fmt::format("it is there, but for other settings: {}",
                             same->key.settings);
  return find([&](const Entry &entry) { return entry.title == title; }) !=
                 all.end()
             ? "what is there under this name is another graph"
             : "it has not been compiled before";
}

int64_t CacheFolder::clear() const {
  int64_t count = 0;
  for (const fs::directory_entry &file : filesIn(folder)) {
    std::error_code error;
    count += fs::remove(file.path(), error);
  }
  return count;
}

} // namespace gradus

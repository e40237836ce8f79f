#include "runtime/data/DataFile.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <sys/stat.h>
#include <zlib.h>

namespace gradus {

namespace fs = std::filesystem;

std::string DataFolder::resolve(const std::string &file) const {
  fs::path path(file);
  if (!path.is_absolute())
    return (fs::path(given.empty() ? beside : given) / path).string();
  // A full path in a model says where its author has the data; `--data` says
  // where the reader has them.
  return given.empty() ? file : (fs::path(given) / path.filename()).string();
}

/// The four files of Fashion-MNIST have the names of MNIST's; Debian packages
/// the former.
static void suggestPackage(Error &error, const std::string &path) {
  std::string name = fs::path(path).filename().string();
  if (name.ends_with(".gz"))
    name.resize(name.size() - 3);
  constexpr const char *names[] = {
      "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
      "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
  if (std::find(std::begin(names), std::end(names), name) == std::end(names))
    return;
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  std::error_code ignored;
  error.help(fs::is_directory(folder, ignored)
                 ? "Fashion-MNIST is installed: add `--data " + folder + "`"
                 : "for Fashion-MNIST install Debian's package "
                   "dataset-fashion-mnist and add `--data " +
                       folder + "`");
}

static Error missing(const std::string &path) {
  Error error(fault::DataMissing, path);
  std::error_code ignored;
  std::string other =
      path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path + ".gz";
  if (fs::is_regular_file(other, ignored))
    error.help("`" + other + "` exists");
  return error;
}

static OpenFile openFile(const std::string &path) {
  std::error_code code;
  fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found)
    throw missing(path);
  if (fs::is_directory(status))
    throw Error(fault::DataIsFolder, path);
  // A pipe that nobody writes to would make us wait, a device may never end.
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw Error(fault::DataUnreadable, path, "it is not a regular file")
        .help("write what it gives to a file first");
  OpenFile file(std::fopen(path.c_str(), "rb"));
  if (!file)
    throw Error(fault::DataUnreadable, path, std::strerror(errno));
  return file;
}

FileVersion versionOf(const OpenFile &file) {
  struct stat state = {};
  if (fstat(fileno(file.get()), &state) != 0)
    return {};
  return {size_t(state.st_size), int64_t(state.st_mtim.tv_sec) * 1'000'000'000 +
                                     state.st_mtim.tv_nsec};
}

static std::vector<uint8_t> readRaw(const std::string &path) {
  OpenFile file = openFile(path);
  // The size is a hint only: it may change while we read.
  size_t expected = versionOf(file).bytes;
  std::vector<uint8_t> bytes;
  size_t used = 0;
  while (!std::feof(file.get())) {
    bytes.resize(std::max(used + (1 << 16), expected + 1));
    size_t got =
        std::fread(bytes.data() + used, 1, bytes.size() - used, file.get());
    used += got;
    if (std::ferror(file.get()))
      throw Error(fault::DataUnreadable, path, std::strerror(errno));
  }
  bytes.resize(used);
  return bytes;
}

static bool isGzip(const std::vector<uint8_t> &bytes, size_t at = 0) {
  return bytes.size() >= at + 2 && bytes[at] == 0x1F && bytes[at + 1] == 0x8B;
}

static DataPlace atByte(const std::string &path, uint64_t byte) {
  return {path, 0, "byte " + std::to_string(byte), {}, 0, 0, {}};
}

/// All members of a gzip file, one after the other; zeros behind the last one
/// are padding.
static std::vector<uint8_t> inflateAll(const std::string &path,
                                       const std::vector<uint8_t> &packed) {
  struct Inflater {
    z_stream stream = {};
    Inflater() {
      // 15: the largest window; 16: gzip format.
      if (inflateInit2(&stream, 15 + 16) != Z_OK)
        throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream); }
  } inflater;
  z_stream &stream = inflater.stream;

  // The last four bytes hold the size modulo 2^32; deflate compresses by at
  // most a factor of 1032, so a false size cannot make us allocate much.
  uint32_t promised = 0;
  if (packed.size() >= 18)
    std::memcpy(&promised, packed.data() + packed.size() - 4, 4);
  std::vector<uint8_t> out(
      std::min<uint64_t>(promised, uint64_t(packed.size()) * 1032) + 64);

  size_t in = 0, used = 0;
  while (true) {
    constexpr size_t most = 1 << 30;
    if (used == out.size())
      out.resize(out.size() * 2);
    stream.next_in = const_cast<Bytef *>(packed.data() + in);
    stream.avail_in = uInt(std::min(packed.size() - in, most));
    stream.next_out = out.data() + used;
    stream.avail_out = uInt(std::min(out.size() - used, most));
    uInt before = stream.avail_in, room = stream.avail_out;
    int state = inflate(&stream, Z_NO_FLUSH);
    in += before - stream.avail_in;
    used += room - stream.avail_out;
    if (state == Z_STREAM_END) {
      if (isGzip(packed, in)) {
        inflateReset(&stream);
        continue;
      }
      size_t stray = in;
      while (stray < packed.size() && packed[stray] == 0)
        ++stray;
      if (stray < packed.size())
        throw Error(fault::GzipBroken, path,
                    "other bytes follow the compressed data")
            .at(atByte(path, stray));
      out.resize(used);
      return out;
    }
    if (state == Z_MEM_ERROR)
      throw std::bad_alloc();
    if (state != Z_OK && state != Z_BUF_ERROR)
      throw Error(fault::GzipBroken, path,
                  stream.msg ? stream.msg : "invalid data")
          .at(atByte(path, in))
          .help("compare the file's checksum with its origin");
    if (in == packed.size() && stream.avail_out)
      throw Error(fault::GzipTruncated, path)
          .at(atByte(path, in))
          .help("a download or copy may have been cut short");
  }
}

std::vector<uint8_t> readBytes(const std::string &path) {
  try {
    std::vector<uint8_t> bytes = readRaw(path);
    if (isGzip(bytes))
      return inflateAll(path, bytes);
    if (path.ends_with(".gz")) {
      Error error(fault::NotGzip, path);
      error.at(atByte(path, 0));
      if (bytes.empty())
        error.note("the file is empty");
      else if (bytes[0] == '<')
        error.note("it starts with `<`: a web page may have been saved in its "
                   "place");
      else
        error.note("a gzip file starts with the bytes 31 and 139");
      throw error;
    }
    return bytes;
  } catch (const std::bad_alloc &) {
    throw Error(fault::OutOfMemory, "the contents of `" + path + "`");
  }
}

/// Opens or reads a data file with `how`.
template <typename How>
static auto findDataFile(const std::string &path, How how) {
  try {
    return how(path);
  } catch (Error &error) {
    if (error.code() == fault::DataMissing.code) {
      error.help(
          "`--data DIR` changes the folder in which data files are found");
      suggestPackage(error, path);
    }
    throw;
  }
}

OpenFile openDataFile(const std::string &path) {
  return findDataFile(path, openFile);
}

std::vector<uint8_t> readDataFile(const std::string &path) {
  return findDataFile(path, readBytes);
}

} // namespace gradus

#include "runtime/data/DataText.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <unistd.h>

namespace gradus {

/// Large enough for a read to cost more than its call, small enough for the
/// second level of a cache.
static constexpr size_t kWindow = 256 << 10;

DataText::DataText(std::string path)
    : file(std::move(path)), input(openDataFile(file)) {
  opened = versionOf(input);
  length = opened.bytes;
  std::string_view start = from(0, 2);
  // Compressed data cannot be read from the middle, and some file systems give
  // no sizes (/proc).
  if (start.starts_with("\x1F\x8B") || file.ends_with(".gz") || length == 0) {
    input.reset();
    *this = DataText(file, readDataFile(file));
  }
}

DataText::DataText(std::string path, std::vector<uint8_t> content)
    : file(std::move(path)), length(content.size()), window(std::move(content)),
      windowEnd(length) {}

std::string_view DataText::from(size_t at, size_t least) const {
  size_t end = std::min(at + least, length);
  if (at < windowBegin || end > windowEnd)
    load(at, end - at);
  return {reinterpret_cast<const char *>(window.data()) + (at - windowBegin),
          windowEnd - at};
}

void DataText::load(size_t at, size_t least) const {
  size_t wanted = std::min(std::max(least, kWindow), length - at);
  try {
    window.resize(std::max(window.size(), wanted));
  } catch (const std::bad_alloc &) {
    throw Error(fault::OutOfMemory, "the contents of `" + file + "`");
  }
  windowBegin = windowEnd = at;
  while (windowEnd < at + wanted) {
    ssize_t got = pread(fileno(input.get()), window.data() + (windowEnd - at),
                        at + wanted - windowEnd, off_t(windowEnd));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw Error(fault::DataUnreadable, file, std::strerror(errno));
    if (got == 0)
      failChanged();
    windowEnd += size_t(got);
  }
}

void DataText::checkUnchanged() const {
  if (input && versionOf(input) != opened)
    failChanged();
}

void DataText::failChanged() const {
  throw Error(fault::DataUnreadable, file, "it changed while it was read")
      .help("start again when nobody writes to it");
}

} // namespace gradus

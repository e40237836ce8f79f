#include "runtime/run/OutputFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace gradus {

Error writeError(const std::string &path, int number) {
  if (number == ENOSPC || number == EDQUOT)
    return Error(fault::DiskFull, path)
        .help(number == EDQUOT
                  ? "your quota is used up: delete something, or write to "
                    "another folder with `-o`"
                  : "make room on this disk, or write to another folder with "
                    "`-o`");
  Error error(fault::CannotWrite, path, std::strerror(number));
  if (number == EACCES || number == EROFS || number == EPERM)
    error.help("choose a folder you may write to with `-o`");
  if (number == ENOENT || number == ENOTDIR)
    error.help("its folder must exist");
  return error;
}

/// Makes a rename or a new file survive a crash; a file system that cannot sync
/// folders is left alone.
static void syncFolderOf(const std::string &path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  int handle =
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (handle < 0)
    return;
  fsync(handle);
  close(handle);
}

OutputFile::OutputFile(std::string target)
    : path(std::move(target)),
      temporary(path + ".part-" + std::to_string(getpid())) {
  struct stat status;
  // A pipe or device, such as /dev/stdout, cannot be replaced.
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode))
      throw writeError(path, EISDIR);
    if (!S_ISREG(status.st_mode))
      temporary = path;
  }
  file = std::fopen(temporary.c_str(), "wb");
  if (!file)
    throw writeError(path, errno);
}

OutputFile::~OutputFile() {
  if (!file)
    return;
  std::fclose(file);
  if (temporary != path)
    unlink(temporary.c_str());
}

void OutputFile::write(const void *bytes, size_t count) {
  if (count && std::fwrite(bytes, 1, count, file) != count)
    throw writeError(path, errno);
}

void OutputFile::commit() {
  if (std::fflush(file) != 0)
    throw writeError(path, errno);
  if (temporary != path && fsync(fileno(file)) != 0)
    throw writeError(path, errno);
  if (std::fclose(std::exchange(file, nullptr)) != 0)
    throw writeError(path, errno);
  if (temporary == path)
    return;
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    int number = errno;
    unlink(temporary.c_str());
    throw writeError(path, number);
  }
  syncFolderOf(path);
}

void writeFile(const std::string &path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.commit();
}

LogFile::LogFile(std::string target) : path(std::move(target)) {
  file = std::fopen(path.c_str(), "ab");
  if (!file)
    throw writeError(path, errno);
}

LogFile::~LogFile() { std::fclose(file); }

void LogFile::add(std::string_view line) {
  if (std::fwrite(line.data(), 1, line.size(), file) != line.size() ||
      std::fputc('\n', file) == EOF || std::fflush(file) != 0)
    throw writeError(path, errno);
}

} // namespace gradus

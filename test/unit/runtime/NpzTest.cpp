#include "runtime/data/Npz.h"

#include "runtime/run/ResultFiles.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <zlib.h>

using namespace gradus;

namespace {

Tensor filled(double value) {
  Tensor tensor(Element::F32, {100});
  tensor.fill(value);
  return tensor;
}

void put(std::string &out, uint64_t value, int count) {
  for (int i = 0; i < count; ++i)
    out += char(value >> 8 * i);
}

/// An archive of one deflated entry, as numpy.savez_compressed writes it; with
/// `wide` its sizes stand in a zip64 field.
std::string deflated(const std::string &name, const std::string &data,
                     uint16_t method = 8, bool wide = false) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(data.data()));
  stream.avail_in = uInt(data.size());
  stream.next_out = reinterpret_cast<Bytef *>(packed.data());
  stream.avail_out = uInt(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);

  std::string common;
  put(common, 20, 2);
  put(common, 0, 2);
  put(common, method, 2);
  put(common, 0, 4);
  put(common,
      crc32(0, reinterpret_cast<const Bytef *>(data.data()), uInt(data.size())),
      4);
  put(common, wide ? 0xFFFFFFFF : packed.size(), 4);
  put(common, wide ? 0xFFFFFFFF : data.size(), 4);
  put(common, name.size(), 2);
  std::string extra;
  if (wide) {
    put(extra, 1, 2);
    put(extra, 16, 2);
    put(extra, data.size(), 8);
    put(extra, packed.size(), 8);
  }
  std::string out;
  put(out, 0x04034B50, 4);
  out += common;
  put(out, extra.size(), 2);
  out += name + extra + packed;
  uint64_t directory = out.size();
  put(out, 0x02014B50, 4);
  put(out, 20, 2);
  out += common;
  put(out, extra.size(), 2);
  put(out, 0, 8);
  put(out, 0, 2);
  put(out, 0, 4);
  out += name + extra;
  uint64_t size = out.size() - directory;
  put(out, 0x06054B50, 4);
  put(out, 0, 4);
  put(out, 1, 2);
  put(out, 1, 2);
  put(out, size, 4);
  put(out, directory, 4);
  put(out, 0, 2);
  return out;
}

class NpzFiles : public ScratchFolder {
protected:
  /// Why reading the only entry of an archive fails.
  std::string reason(const std::string &bytes) const {
    std::string text = messageOf([&] {
      NpzFile file(write("x.npz", bytes));
      file.read("a");
    });
    std::string start = "error[E1010]: `x.npz` is not a valid npz file: ";
    return text.starts_with(start)
               ? text.substr(start.size(), text.find('\n') - start.size())
               : text;
  }
};

} // namespace

TEST_F(NpzFiles, RoundTrip) {
  writeNpz(path("x.npz"),
           {{"a", npyBytes(filled(1))}, {"b.c", npyBytes(filled(2))}});
  NpzFile file(path("x.npz"));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"a", "b.c"}));
  EXPECT_EQ(file.read("a").real(99), 1);
  EXPECT_EQ(file.read("b.c").real(0), 2);
  EXPECT_EQ(file.read("a").origin, path("x.npz") + ", array a");
  writeNpz(path("empty.npz"), {});
  EXPECT_TRUE(NpzFile(path("empty.npz")).names().empty());
}

TEST_F(NpzFiles, OtherProgramsReadThem) {
  if (std::system("python3 -c '' 2>/dev/null") != 0)
    GTEST_SKIP() << "no python3";
  writeNpz(path("x.npz"), {{"a", npyBytes(filled(1))}});
  EXPECT_EQ(
      std::system(
          ("python3 -m zipfile -t " + path("x.npz") + " >/dev/null").c_str()),
      0);
}

TEST_F(NpzFiles, DeflatedAndZip64EntriesAreRead) {
  for (bool wide : {false, true}) {
    NpzFile file(
        write("x.npz", deflated("a.npy", npyBytes(filled(3)), 8, wide)));
    EXPECT_EQ(file.read("a").real(50), 3);
  }
}

TEST_F(NpzFiles, ArchivesWithACommentAreRead) {
  std::string bytes = deflated("a.npy", npyBytes(filled(3)));
  bytes[bytes.size() - 2] = 5;
  EXPECT_EQ(NpzFile(write("x.npz", bytes + "hello")).read("a").real(0), 3);
}

TEST_F(NpzFiles, MissingArrayListsTheOthers) {
  writeNpz(path("x.npz"), {{"b", npyBytes(filled(1))}});
  EXPECT_EQ(messageOf([&] { NpzFile(path("x.npz")).read("a"); }),
            "error[E1011]: `x.npz` holds no array `a`\n"
            "  = note: its arrays are `b`\n");
  writeNpz(path("x.npz"), {});
  EXPECT_EQ(messageOf([&] { NpzFile(path("x.npz")).read("a"); }),
            "error[E1011]: `x.npz` holds no array `a`\n"
            "  = note: it holds none at all\n");
}

TEST_F(NpzFiles, DamagedArchivesAreRefused) {
  std::string good = deflated("a.npy", npyBytes(filled(3)));
  EXPECT_EQ(reason("no"), "it is not a zip archive");
  EXPECT_EQ(messageOf([&] { NpzFile(write("x.npz", "no")); }),
            "error[E1010]: `x.npz` is not a valid npz file: it is not a zip "
            "archive\n --> x.npz, byte 0\n");
  EXPECT_EQ(reason(std::string(100, 'x')), "it is not a zip archive");
  EXPECT_EQ(reason(good.substr(0, good.size() - 30)),
            "its directory is missing; it may have been cut short");
  std::string bytes = good;
  bytes[good.size() - 6] = 1; // offset of the directory
  EXPECT_EQ(reason(bytes), "its directory is damaged");
  bytes = good;
  bytes[0] = 'P', bytes[3] = 9; // signature of the entry
  EXPECT_EQ(reason(bytes), "`a.npy` is damaged");
  bytes = good;
  bytes[40] ^= 0x55; // compressed data
  EXPECT_TRUE(reason(bytes).starts_with("`a.npy` "));
  EXPECT_EQ(reason(deflated("a.npy", npyBytes(filled(3)), 12)),
            "`a.npy` is compressed by method 12, only deflate is read");
  EXPECT_EQ(reason(deflated("a.npy", npyBytes(filled(3)), 0)),
            "`a.npy` does not have its checksum");
  size_t directory = good.find("PK\x01\x02");
  bytes = good;
  bytes[directory + 8] = 1;
  EXPECT_EQ(reason(bytes), "`a.npy` is encrypted");
  bytes = good;
  bytes[directory + 23] = 1; // packed size
  EXPECT_EQ(reason(bytes), "`a.npy` is cut short");
  bytes = good;
  bytes[directory + 28] = 0x7F; // length of its name
  EXPECT_EQ(reason(bytes), "its directory is damaged");
}

TEST_F(NpzFiles, EveryTruncationIsRefused) {
  std::string good = deflated("a.npy", npyBytes(filled(3)), 8, true);
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(reason(good.substr(0, size)), "") << size;
}

TEST_F(NpzFiles, EveryFlippedByteIsRefusedOrHarmless) {
  std::string good = deflated("a.npy", npyBytes(filled(3)), 8, true);
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bytes = good;
    bytes[at] ^= 0xFF;
    reason(bytes);
  }
}

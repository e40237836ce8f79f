#include "runtime/run/Safetensors.h"

#include "test/unit/runtime/ScratchFolder.h"

using namespace gradus;

namespace {

class SafetensorsFiles : public ScratchFolder {
protected:
  /// A file with this header and data.
  std::string make(const std::string &header, const std::string &data = "",
                   std::optional<uint64_t> length = std::nullopt) const {
    uint64_t size = length.value_or(header.size());
    return write("w", std::string(reinterpret_cast<char *>(&size), 8) + header +
                          data);
  }
  /// Why a file is refused, without the name of the file and the place.
  std::string reason(const std::string &file) const {
    std::string text = messageOf([&] { Safetensors{file}; });
    std::string start = "error[E1004]: `w` is not a valid safetensors file: ";
    if (!text.starts_with(start))
      return text;
    return text.substr(start.size(), text.find('\n') - start.size());
  }
  std::string reasonOf(const std::string &entry,
                       const std::string &data = "12345678") const {
    return reason(make("{\"a\":" + entry + "}", data));
  }
};

} // namespace

TEST_F(SafetensorsFiles, HoldEveryElementType) {
  std::vector<Tensor> tensors;
  std::vector<std::pair<std::string, const Tensor *>> named;
  for (Element element : {Element::F32, Element::F64, Element::I32,
                          Element::I64, Element::U8, Element::Bool}) {
    tensors.emplace_back(element, std::vector<int64_t>{2, 3});
    tensors.back().set(4, 1);
  }
  tensors.push_back(Tensor::scalar(Element::F32, 2.5));
  tensors.emplace_back(Element::F32, std::vector<int64_t>{0});
  for (size_t i = 0; i < tensors.size(); ++i)
    named.emplace_back("t" + std::to_string(i), &tensors[i]);
  writeSafetensors(path("w"), {{"step", "7"}}, named);
  Safetensors file(path("w"));
  EXPECT_EQ(file.metadata(), (Metadata{{"step", "7"}}));
  EXPECT_EQ(file.entries().size(), 8u);
  for (size_t i = 0; i < tensors.size(); ++i) {
    Tensor read = file.read(named[i].first);
    EXPECT_EQ(read.element(), tensors[i].element());
    EXPECT_EQ(read.shape(), tensors[i].shape());
    for (int64_t k = 0; k < read.elements(); ++k)
      EXPECT_EQ(read.at(k), tensors[i].at(k));
  }
  EXPECT_EQ(file.find("u"), nullptr);
}

TEST_F(SafetensorsFiles, DataAreAligned) {
  Tensor tensor(Element::F32, {3});
  writeSafetensors(path("w"), {}, {{"a", &tensor}});
  EXPECT_EQ((contents("w").size() - 12) % 64, 0u);
}

TEST_F(SafetensorsFiles, OfOthersAreRead) {
  Safetensors file(make(R"({"b":{"dtype":"BF16","shape":[2],"data_offsets":)"
                        R"([4,8]},"a":{"dtype":"F32","shape":[],)"
                        R"("data_offsets":[0,4]}}   )",
                        "12345678"));
  EXPECT_EQ(file.find("b")->text(), "BF16[2]");
  EXPECT_EQ(
      messageOf([&] { file.read("b"); }).substr(0, 80),
      "error[E1004]: `w` is not a valid safetensors file: `b` is BF16[2], "
      "which no mode");
}

TEST_F(SafetensorsFiles, MissingFileIsNamedWithoutTalkOfData) {
  EXPECT_EQ(reason(path("no")), "error[E0802]: `no` does not exist\n");
}

TEST_F(SafetensorsFiles, TruncatedFilesAreRefused) {
  EXPECT_EQ(messageOf([&] { Safetensors{write("w", "123")}; }),
            "error[E1004]: `w` is not a valid safetensors file: it ends within "
            "the length of its header\n --> w, byte 3\n");
  EXPECT_EQ(reason(make("{}", "", 100)),
            "it ends within its header of 100 bytes");
  EXPECT_EQ(reason(make("{}", "", uint64_t(1) << 60)),
            "it would have a header of 1152921504606846976 bytes");
  Tensor tensor(Element::F32, {3});
  writeSafetensors(path("w"), {}, {{"a", &tensor}});
  std::string whole = contents("w");
  write("w", whole.substr(0, whole.size() - 1));
  EXPECT_EQ(reason(path("w")),
            "`a` lies at the bytes 0 to 12 of the data, which have 11");
  write("w", whole + "x");
  EXPECT_EQ(reason(path("w")), "1 byte at its end belong to no tensor");
}

TEST_F(SafetensorsFiles, DamagedHeadersAreRefused) {
  EXPECT_EQ(reason(make(" {}")), "its header does not start with `{`");
  EXPECT_EQ(reason(make("{\"a\":")), "its header is not valid JSON");
  EXPECT_EQ(reason(make(R"({"a":1,"a":2})")), "`a` occurs twice in its header");
  EXPECT_EQ(reason(make(R"({"__metadata__":{"a":1}})")),
            "its metadata are not texts");
  EXPECT_EQ(reasonOf("{}"),
            "`a` is not described by dtype, shape and data_offsets");
  EXPECT_EQ(reasonOf(R"({"dtype":"F33","shape":[2],"data_offsets":[0,8]})"),
            "`a` has the unknown dtype \"F33\"");
  EXPECT_EQ(reasonOf(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"),
            "`a` has the shape [-2]");
  EXPECT_EQ(reasonOf(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"),
            "`a` has the data_offsets [0]");
  EXPECT_EQ(reasonOf(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"),
            "`a` lies at the bytes 8 to 0 of the data, which have 8");
  EXPECT_EQ(reasonOf(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
            "`a` is F32[3] but takes 8 bytes");
  EXPECT_EQ(reasonOf(R"({"dtype":"F32","shape":[4611686018427387903,4],)"
                     R"("data_offsets":[0,8]})"),
            "`a` is F32[4611686018427387903, 4] but takes 8 bytes");
}

TEST_F(SafetensorsFiles, TensorsTileTheData) {
  auto two = [&](const std::string &second) {
    return reason(
        make(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
             R"("b":{"dtype":"U8","shape":[4],"data_offsets":)" +
                 second + "}}",
             "123456789"));
  };
  EXPECT_EQ(two("[3,7]"), "`b` overlaps another tensor");
  EXPECT_EQ(two("[5,9]"), "`b` leaves a hole before it");
  EXPECT_EQ(two("[4,8]"), "1 byte at its end belong to no tensor");
}

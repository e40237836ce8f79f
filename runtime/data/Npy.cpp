#include "runtime/data/Npy.h"

#include "runtime/data/DataFile.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

namespace gradus {

static_assert(std::endian::native == std::endian::little);

namespace {

template <typename T> T load(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

[[noreturn]] void refuse(const std::string &origin, uint64_t byte,
                         const std::string &why) {
  throw Error(fault::NotNpy, origin, why)
      .at({origin, 0, "byte " + std::to_string(byte), {}, 0, 0, {}});
}

/// The header, a Python dictionary such as
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
public:
  /// `end` is the byte behind the header.
  HeaderParser(const std::string &origin, std::string_view text, uint64_t end)
      : origin(origin), text(text), end(end) {}

  std::string descr;
  bool columnMajor = false;
  std::vector<int64_t> shape;

  void parse() {
    unsigned seen = 0;
    take('{');
    while (!tryTake('}')) {
      std::string key = quoted();
      take(':');
      if (key == "descr")
        seen |= 1, descr = element();
      else if (key == "fortran_order")
        seen |= 2, columnMajor = boolean();
      else if (key == "shape")
        seen |= 4, tuple();
      else
        refuse(origin, at(), "its header has the unknown entry `" + key + "`");
      if (!tryTake(',')) {
        take('}');
        break;
      }
    }
    blanks();
    if (!text.empty() || seen != 7)
      bad();
  }

private:
  [[noreturn]] void bad() {
    refuse(origin, at(),
           "its header is not a dictionary with descr, fortran_order and "
           "shape");
  }
  uint64_t at() const { return end - text.size(); }
  void blanks() {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text[0])))
      text.remove_prefix(1);
  }
  bool tryTake(char c) {
    blanks();
    if (!text.starts_with(c))
      return false;
    text.remove_prefix(1);
    return true;
  }
  void take(char c) {
    if (!tryTake(c))
      bad();
  }
  std::string quoted() {
    blanks();
    if (text.empty() || (text[0] != '\'' && text[0] != '"'))
      bad();
    size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos)
      bad();
    std::string word(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    return word;
  }
  std::string element() {
    blanks();
    if (text.starts_with('['))
      refuse(origin, at(), "its elements are records, not numbers");
    return quoted();
  }
  bool boolean() {
    blanks();
    for (bool value : {false, true}) {
      std::string_view word = value ? "True" : "False";
      if (!text.starts_with(word))
        continue;
      text.remove_prefix(word.size());
      return value;
    }
    bad();
  }
  void tuple() {
    take('(');
    while (!tryTake(')')) {
      blanks();
      int64_t dim = -1;
      auto [end, code] =
          std::from_chars(text.data(), text.data() + text.size(), dim);
      if (code != std::errc() || dim < 0)
        bad();
      text.remove_prefix(size_t(end - text.data()));
      shape.push_back(dim);
      if (!tryTake(',')) {
        take(')');
        break;
      }
    }
  }

  const std::string &origin;
  std::string_view text;
  uint64_t end;
};

/// Sets kind and width from `<f4`; gives whether the bytes are big-endian.
bool parseElement(NpyArray &array, const std::string &descr) {
  constexpr std::string_view known[] = {"b1", "i1", "i2", "i4", "i8", "u1",
                                        "u2", "u4", "u8", "f2", "f4", "f8"};
  if (descr.size() == 3 &&
      std::string_view("<>|=").find(descr[0]) != std::string_view::npos &&
      std::find(std::begin(known), std::end(known), descr.substr(1)) !=
          std::end(known)) {
    array.kind = descr[1];
    array.width = descr[2] - '0';
    return descr[0] == '>';
  }
  refuse(array.origin, array.start,
         "its elements are `" + descr + "`, which are no numbers Gradus reads");
}

/// Column-major bytes to row-major ones.
void toRowMajor(NpyArray &array) {
  size_t rank = array.shape.size(), width = size_t(array.width);
  std::vector<uint8_t> out(array.bytes.size());
  std::vector<int64_t> index(rank), stride(rank, 1);
  for (size_t axis = 1; axis < rank; ++axis)
    stride[axis] = stride[axis - 1] * array.shape[axis - 1];
  for (size_t at = 0; at < out.size(); at += width) {
    int64_t from = 0;
    for (size_t axis = 0; axis < rank; ++axis)
      from += index[axis] * stride[axis];
    std::memcpy(out.data() + at, array.bytes.data() + size_t(from) * width,
                width);
    for (size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < array.shape[axis])
        break;
      index[axis] = 0;
    }
  }
  array.bytes = std::move(out);
  array.start = 0;
}

/// IEEE half precision.
double halfToDouble(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 0 ? std::ldexp(fraction, -24)
                 : exponent == 31
                     ? (fraction ? std::numeric_limits<double>::quiet_NaN()
                                 : std::numeric_limits<double>::infinity())
                     : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -value : value;
}

} // namespace

double NpyArray::real(int64_t i) const {
  const uint8_t *at = bytes.data() + i * width;
  if (kind != 'f')
    return double(whole(i));
  return width == 2   ? halfToDouble(load<uint16_t>(at))
         : width == 4 ? double(load<float>(at))
                      : load<double>(at);
}

int64_t NpyArray::whole(int64_t i) const {
  const uint8_t *at = bytes.data() + i * width;
  bool isSigned = kind == 'i';
  switch (width) {
  case 1:
    return isSigned ? load<int8_t>(at) : load<uint8_t>(at);
  case 2:
    return isSigned ? load<int16_t>(at) : load<uint16_t>(at);
  case 4:
    return isSigned ? load<int32_t>(at) : int64_t(load<uint32_t>(at));
  default:
    return isSigned
               ? load<int64_t>(at)
               : int64_t(std::min(load<uint64_t>(at), uint64_t(INT64_MAX)));
  }
}

DataPlace NpyArray::place(int64_t i) const {
  std::string detail;
  int64_t rows = shape.empty() ? 0 : shape[0];
  if (int64_t perRow = rows ? elements() / rows : 0)
    detail = "row " + std::to_string(i / perRow);
  if (start)
    detail += (detail.empty() ? "byte " : ", byte ") +
              std::to_string(start + uint64_t(i) * uint64_t(width));
  return {origin, 0, detail, {}, 0, 0, {}};
}

std::string NpyArray::text() const {
  std::string name = kind == 'b' ? "bool"
                                 : (kind == 'f'   ? "float"
                                    : kind == 'i' ? "int"
                                                  : "uint") +
                                       std::to_string(8 * width);
  return name + typeText(Element::F32, shape).substr(3);
}

NpyArray parseNpy(std::string origin, std::span<const uint8_t> file) {
  NpyArray array;
  array.origin = std::move(origin);
  if (file.size() < 10 || std::memcmp(file.data(), "\x93NUMPY", 6) != 0)
    refuse(array.origin, 0, "it does not start with the word NUMPY");
  unsigned version = file[6];
  if (version != 1 && version != 2)
    refuse(array.origin, 6,
           "it has version " + std::to_string(version) +
               ", only 1 and 2 are read");
  size_t start = version == 1 ? 10 : 12;
  size_t length = version == 1        ? load<uint16_t>(file.data() + 8)
                  : file.size() >= 12 ? load<uint32_t>(file.data() + 8)
                                      : SIZE_MAX;
  if (file.size() < start || length > file.size() - start)
    refuse(array.origin, file.size(), "it ends within its header");
  HeaderParser header(
      array.origin,
      {reinterpret_cast<const char *>(file.data()) + start, length},
      start + length);
  array.start = start;
  header.parse();
  bool bigEndian = parseElement(array, header.descr);
  array.start += length;
  array.shape = header.shape;
  uint64_t wanted = uint64_t(array.width);
  bool overflow = false;
  for (int64_t dim : array.shape)
    overflow |= __builtin_mul_overflow(wanted, uint64_t(dim), &wanted);
  std::span<const uint8_t> data = file.subspan(start + length);
  if (overflow || data.size() != wanted)
    refuse(array.origin, file.size(),
           "it holds " + counted(data.size(), "byte") +
               " of elements, but its header says " + array.text());
  array.bytes.assign(data.begin(), data.end());
  if (bigEndian)
    for (size_t at = 0; at < array.bytes.size(); at += size_t(array.width))
      std::reverse(array.bytes.begin() + int64_t(at),
                   array.bytes.begin() + int64_t(at) + array.width);
  if (header.columnMajor && array.shape.size() > 1)
    toRowMajor(array);
  return array;
}

NpyArray readNpy(const std::string &path) {
  return parseNpy(path, readBytes(path));
}

namespace {

bool accepts(const NpyArray &array, Element element) {
  switch (element) {
  case Element::F32:
  case Element::F64:
    return array.kind == 'f' || (array.literal && array.kind == 'i');
  case Element::Bool:
    return array.kind == 'b' || (array.kind == 'u' && array.width == 1);
  default:
    return array.kind == 'i' || array.kind == 'u';
  }
}

/// Whether the file has the very bytes of the tensor, and any are allowed.
bool isStoredAlike(const NpyArray &array, const ValueType &type) {
  switch (type.element) {
  case Element::F32:
    return array.kind == 'f' && array.width == 4;
  case Element::F64:
    return array.kind == 'f' && array.width == 8;
  case Element::U8:
    return array.kind == 'u' && array.width == 1;
  case Element::I64:
    return array.kind == 'i' && array.width == 8;
  default:
    return false;
  }
}

struct WholeRange {
  int64_t low, high;
};
WholeRange rangeOf(const ValueType &type) {
  if (type.classes)
    return {0, type.classes - 1};
  switch (type.element) {
  case Element::U8:
    return {0, 255};
  case Element::Bool:
    return {0, 1};
  case Element::I32:
    return {INT32_MIN, INT32_MAX};
  default:
    return {INT64_MIN, INT64_MAX};
  }
}

} // namespace

Tensor toTensor(const NpyArray &array, const ValueType &type) {
  if (!accepts(array, type.element)) {
    Error error(fault::NpyElement, array.origin, array.text(), type.name,
                type.type);
    bool real = type.element == Element::F32 || type.element == Element::F64;
    throw error.help(real ? "convert it: `x.astype('float32')`"
                          : "convert it to whole numbers, as in "
                            "`x.astype('int64')`");
  }
  Tensor tensor(type.element, array.shape);
  if (isStoredAlike(array, type)) {
    std::copy(array.bytes.begin(), array.bytes.end(),
              static_cast<uint8_t *>(tensor.data()));
    return tensor;
  }
  if (type.element == Element::F32 || type.element == Element::F64) {
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.set(i, array.real(i));
    return tensor;
  }
  WholeRange range = rangeOf(type);
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    int64_t value = array.whole(i);
    if (value < range.low || value > range.high)
      throw Error(fault::ValueOutOfRange, i, array.origin, value, type.name,
                  type.type)
          .at(array.place(i))
          .help("allowed: " + std::to_string(range.low) + " to " +
                std::to_string(range.high));
    if (type.element == Element::I64)
      tensor.as<int64_t>()[size_t(i)] = value;
    else
      tensor.set(i, double(value));
  }
  return tensor;
}

} // namespace gradus

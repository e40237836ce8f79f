// See ArenaPicture.h.
#include "tools/gradus/ArenaPicture.h"
#include "tools/gradus/Table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace gradus {

namespace {

constexpr double kWidth = 960, kHeight = 540, kLeft = 70, kTop = 40;
constexpr double kRight = 20, kBottom = 50;
/// What is smaller than this has no room for its name.
constexpr double kNameHeight = 12, kLetterWidth = 6.5;

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text)
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    default:
      result += c;
    }
  return result;
}

/// One colour for all values of a line.
std::string colourOf(const PlannedValue &value) {
  if (value.isScratch)
    return "#bbb";
  // The golden angle keeps the hues of neighbouring lines apart.
  return fmt::format("hsl({:.0f} 55% 68%)",
                     double(value.line.number) * 137.508 -
                         360 * int(double(value.line.number) * 137.508 / 360));
}

} // namespace

std::string arenaPicture(const StepAccount &account, const std::string &title) {
  double calls = double(std::max<size_t>(account.calls.size(), 1));
  double bytes = double(std::max<int64_t>(account.arenaBytes, 1));
  double width = kWidth - kLeft - kRight, height = kHeight - kTop - kBottom;
  auto x = [&](int64_t call) { return kLeft + width * double(call) / calls; };
  auto y = [&](int64_t at) { return kTop + height * (1 - double(at) / bytes); };

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"24\" font-size=\"14\">{3}</text>\n",
      kWidth, kHeight, kLeft, escaped(title));
  for (const PlannedValue &value : account.values) {
    double left = x(value.first), right = x(value.last + 1);
    double top = y(value.offset + value.bytes), bottom = y(value.offset);
    std::string what =
        value.isScratch
            ? "scratch of " + value.name
            : fmt::format("{} [{}]", value.name, fmt::join(value.shape, ", "));
    std::string place = value.line.source
                            ? fmt::format(", {}:{}", value.line.source->name(),
                                          value.line.number)
                            : "";
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "fill=\"{}\" stroke=\"white\" stroke-width=\"0.5\">"
        "<title>{}{}: {}, kernels {} to {}</title></rect>\n",
        left, top, right - left, std::max(bottom - top, 0.5), colourOf(value),
        escaped(what), escaped(place), bytesText(double(value.bytes)),
        value.first + 1, value.last + 1);
    size_t letters = size_t(std::max((right - left - 6) / kLetterWidth, 0.0));
    if (bottom - top >= kNameHeight && letters >= 3)
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" "
                         "pointer-events=\"none\">{}</text>\n",
                         left + 3, (top + bottom) / 2 + 4,
                         escaped(shortened(what, letters)));
  }

  // The bytes that are alive, as steps over the kernels.
  std::string path;
  std::vector<int64_t> alive = account.aliveBytes();
  for (size_t i = 0; i < alive.size(); ++i)
    path += fmt::format("{}{:.1f},{:.1f} H{:.1f} ", i ? "L" : "M",
                        x(int64_t(i)), y(alive[i]), x(int64_t(i) + 1));
  if (!path.empty())
    svg +=
        fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"black\"/>\n", path);

  for (int quarter = 0; quarter <= 4; ++quarter) {
    auto at = int64_t(bytes * quarter / 4);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" "
                       "text-anchor=\"end\">{}</text>\n",
                       kLeft - 6, y(at) + 4, bytesText(double(at)));
  }
  svg += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\">kernels 1 to {} of the step; the line: "
      "bytes alive</text>\n</svg>\n",
      kLeft, kHeight - 18, account.calls.size());
  return svg;
}

} // namespace gradus

#include "runtime/data/Rows.h"

#include "runtime/Error.h"
#include "runtime/Random.h"

#include <algorithm>

namespace gradus {

int64_t fromStart(int64_t number, int64_t count) {
  return number < 0 ? number + count : number;
}

static std::string intervalText(const Interval &interval) {
  auto end = [](std::optional<int64_t> number) {
    return number ? std::to_string(*number) : "";
  };
  return end(interval.begin) + ".." + end(interval.end);
}

std::vector<size_t> chosenRows(const std::string &path, int64_t count,
                               const RowChoice &choice) {
  int64_t begin = 0, end = count;
  if (choice.rows) {
    begin = fromStart(choice.rows->begin.value_or(0), count);
    end = fromStart(choice.rows->end.value_or(count), count);
    if (begin < 0 || begin > count || end > count)
      throw Error(fault::RowsPastEnd, intervalText(*choice.rows), path,
                  counted(size_t(count), "row"));
  }
  std::vector<size_t> rows;
  for (int64_t i = begin; i < end; ++i)
    rows.push_back(size_t(i));
  if (choice.split) {
    int64_t low = choice.split->begin.value_or(0);
    int64_t high = choice.split->end.value_or(100);
    if (low < 0 || high > 100 || low > high)
      throw Error(fault::BadSplit, intervalText(*choice.split));
    int64_t all = int64_t(rows.size());
    auto order =
        permutation(uint32_t(all), Stream(choice.seed, siteOf("split")));
    std::vector<size_t> drawn;
    for (int64_t i = all * low / 100; i < all * high / 100; ++i)
      drawn.push_back(rows[order[size_t(i)]]);
    std::sort(drawn.begin(), drawn.end());
    rows = std::move(drawn);
  }
  if (rows.empty())
    throw Error(
        fault::NoRows, path,
        choice.split  ? " in `split = " + intervalText(*choice.split) + "`"
        : choice.rows ? " in `rows = " + intervalText(*choice.rows) + "`"
                      : "");
  return rows;
}

} // namespace gradus

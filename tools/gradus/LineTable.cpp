// See LineTable.h.
#include "tools/gradus/LineTable.h"

#include <fmt/format.h>

namespace gradus {

static std::vector<std::string> framed(std::vector<std::string> headings) {
  headings.insert(headings.begin(), ">line");
  headings.push_back("");
  return headings;
}

LineTable::LineTable(std::vector<std::string> headings)
    : table(framed(std::move(headings))) {}

void LineTable::add(const SourceLine &line, std::vector<std::string> cells) {
  if (line.source && line.source != file)
    table.addText(line.source->name());
  file = line.source ? line.source : file;
  cells.insert(cells.begin(),
               line.source ? std::to_string(line.number) : std::string("-"));
  cells.emplace_back(line.source ? line.text() : "(no line)");
  table.add(std::move(cells));
}

nlohmann::ordered_json lineJson(const SourceLine &line) {
  if (!line.source)
    return {{"file", nullptr}, {"line", nullptr}, {"source", nullptr}};
  return {{"file", line.source->name()},
          {"line", line.number},
          {"source", line.text()}};
}

} // namespace gradus

// Results by line of the source, with the text of the line.
#pragma once

#include "compiler/Account.h"
#include "tools/gradus/Table.h"

#include <nlohmann/json.hpp>

namespace gradus {

class LineTable {
public:
  /// The headings of what stands between the number and the text of a line, as
  /// in Table.
  explicit LineTable(std::vector<std::string> headings);

  /// In the order of the lines.
  void add(const SourceLine &line, std::vector<std::string> cells);
  std::string text() const { return table.text(); }

private:
  Table table;
  const Source *file = nullptr;
};

/// `{"file": "digits.nn", "line": 9, "source": "..."}`; nulls for no line.
nlohmann::ordered_json lineJson(const SourceLine &line);

} // namespace gradus

// Reads the splits of a `data` declaration: opens each file once, numbers text
// labels and characters by the training split, and gives each split as a
// Dataset.
#pragma once

#include "runtime/data/Csv.h"
#include "runtime/data/DataFile.h"
#include "runtime/data/Dataset.h"

#include <memory>

namespace gradus {

class DataReader {
public:
  /// `names`: the text labels and characters saved with the weights; without
  /// them they are read from the training split when they are needed.
  DataReader(DataInfo info, DataFolder folder,
             std::optional<ClassNames> names = std::nullopt);

  const DataInfo &info() const { return declaration; }
  /// The split named `train`, else the first one.
  const Split &trainingSplit() const;

  /// Reads a split. Throws E1012 if there is none of this name, and every error
  /// of data (E08).
  Dataset read(std::string_view split);

  /// Gives back the memory of open files; a later `read` opens them again.
  void close() { tables.clear(); }

  /// Numbers the characters of a text as a model does that has been trained
  /// before; names of other fields are not used.
  void useCharacters(const ClassNames &names);

  /// The names of all text labels and characters met so far.
  const ClassNames &classNames() const { return labels; }

private:
  const CsvTable &table(const CsvSource &source);
  Dataset readCsv(const Split &split, const CsvSource &source);
  Dataset readIdxFiles(const Split &split, const IdxSource &source);
  Dataset readArrays(const Split &split, const ArraySource &source);
  Dataset readText(const Split &split, const TextSource &source);
  Dataset readLinspace(const Split &split, const LinspaceSource &source);
  void checkRows(const Split &split, size_t field, int64_t rows,
                 int64_t expected, const DataPlace &place) const;
  void numberLabels();

  DataInfo declaration;
  DataFolder folder;
  ClassNames labels;
  bool labelsKnown;
  /// By path and whether the first row is a header, if that is given.
  std::map<std::pair<std::string, std::optional<bool>>,
           std::unique_ptr<CsvTable>>
      tables;
};

} // namespace gradus

// The order in which an epoch visits the rows of a split, cut into batches. The
// order is a function of (seed, epoch), so a resumed run continues with it.
// Windows of a text begin elsewhere in each epoch, so that no place of the text
// is always the border of one.
#pragma once

#include "runtime/data/Dataset.h"

namespace gradus {

class Batches {
public:
  /// `batch` is at least 1; a batch larger than the split is the whole split.
  /// Without `shuffle` rows come in the order of the file. `rows` outlives
  /// this.
  Batches(const Dataset &rows, int64_t batch, bool shuffle, uint64_t seed);

  /// Begins an epoch, counted from 1.
  void startEpoch(int64_t epoch);

  /// Batches of an epoch, the last, smaller one included.
  int64_t count() const { return (data.rows + batch - 1) / batch; }
  /// Rows of batch `index`: `fullRows()`, or less in the last one.
  int64_t rowsOf(int64_t index) const;
  int64_t fullRows() const { return batch; }
  /// Rows of the last batch if it is a smaller one, else 0.
  int64_t tailRows() const { return data.rows % batch; }

  /// Copies one field of the rows of batch `index`, one after the other.
  void gather(int64_t index, size_t field, void *destination) const;

private:
  void gatherWindows(size_t first, size_t count, void *destination) const;

  const Dataset &data;
  int64_t batch;
  bool shuffle;
  uint64_t seed;
  /// Empty: the order of the file.
  std::vector<uint32_t> order;
  /// Where the first window begins.
  int64_t offset = 0;
};

} // namespace gradus

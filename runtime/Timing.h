// What took how long from the start of the process on (`--timing`).
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// A list of what was measured, in the order in which it began. Threads may
/// measure at the same time.
class Timing {
  using Clock = std::chrono::steady_clock;

public:
  /// `before`: the seconds since the process began; they are the first row.
  explicit Timing(double before);

  /// Measures from its making to its end.
  class Measured {
  public:
    Measured() = default;
    Measured(Measured &&other) noexcept = default;
    Measured &operator=(Measured &&other) noexcept;
    ~Measured() { end(); }

    void end();
    /// Something to know about it, in words.
    void note(std::string text);

  private:
    friend class Timing;
    std::shared_ptr<Timing> timing;
    size_t row = 0;
  };

  /// Begins a row: the stage, and what it works on. Measures nothing if
  /// `timing` is null.
  [[nodiscard]] static Measured measure(const std::shared_ptr<Timing> &timing,
                                        std::string_view stage,
                                        std::string_view of = "");

  /// The rows as text, and the sum of each stage that has several.
  std::string table() const;

private:
  struct Row {
    std::string stage, of, note;
    double begin = 0, seconds = 0;
  };
  double now() const;

  const Clock::time_point made = Clock::now();
  const double before;
  mutable std::mutex mutex;
  std::vector<Row> rows;
};

} // namespace gradus

// See FmaPeak.h. One loop, compiled once for each width of vectors; the
// processor decides at run time which one is measured.
#include "tools/gradus/FmaPeak.h"

#include <chrono>

namespace gradus {

namespace {

/// Chains: enough to hide the latency of every processor known, few enough
/// that all stay in registers.
constexpr int kChains = 10, kSteps = 4000;

/// Runs `kSteps` multiply-adds on each of `kChains` registers; gives the flops.
template <int Lanes>
[[gnu::always_inline]] inline double multiplyAdd(float &sink) {
  typedef float Vector __attribute__((vector_size(Lanes * 4)));
  // Read anew in every call, so that nothing can be computed beforehand.
  static volatile float one = 1.0f, little = 1e-9f;
  Vector sums[kChains], x = Vector{} + one, y = Vector{} + little;
  for (Vector &sum : sums)
    sum = x;
  for (int step = 0; step < kSteps; ++step)
#pragma clang loop unroll(full)
    for (int i = 0; i < kChains; ++i)
      // The compiler contracts this where the target can.
      sums[i] = sums[i] * x + y;
  for (Vector &sum : sums)
    sink += sum[0];
  return 2.0 * Lanes * kChains * kSteps;
}

#if defined(__x86_64__)
[[gnu::target("avx512f"), gnu::noinline]] double with16Lanes(float &sink) {
  return multiplyAdd<16>(sink);
}
[[gnu::target("avx2,fma"), gnu::noinline]] double with8Lanes(float &sink) {
  return multiplyAdd<8>(sink);
}
#endif
[[gnu::noinline]] double with4Lanes(float &sink) {
  return multiplyAdd<4>(sink);
}

} // namespace

double measureFmaPeak() {
  double (*loop)(float &) = with4Lanes;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    loop = with16Lanes;
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    loop = with8Lanes;
#endif
  float sink = 0;
  auto before = std::chrono::steady_clock::now();
  double flops = loop(sink);
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - before)
          .count();
  return flops / seconds;
}

} // namespace gradus

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
template <int Bytes, typename Real>
[[gnu::always_inline]] inline double multiplyAdd(Real &sink) {
  typedef Real Vector __attribute__((vector_size(Bytes)));
  // Read anew in every call, so that nothing can be computed beforehand.
  static volatile Real one = 1, little = Real(1e-9);
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
  constexpr int kLanes = Bytes / sizeof(Real);
  return 2.0 * kLanes * kChains * kSteps;
}

#if defined(__x86_64__)
template <typename Real>
[[gnu::target("avx512f"), gnu::noinline]] double with64Bytes(Real &sink) {
  return multiplyAdd<64>(sink);
}
template <typename Real>
[[gnu::target("avx2,fma"), gnu::noinline]] double with32Bytes(Real &sink) {
  return multiplyAdd<32>(sink);
}
#endif
template <typename Real> [[gnu::noinline]] double with16Bytes(Real &sink) {
  return multiplyAdd<16>(sink);
}

template <typename Real> double measure() {
  double (*loop)(Real &) = with16Bytes<Real>;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    loop = with64Bytes<Real>;
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    loop = with32Bytes<Real>;
#endif
  Real sink = 0;
  auto before = std::chrono::steady_clock::now();
  double flops = loop(sink);
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - before)
          .count();
  return flops / seconds;
}

} // namespace

double measureFmaPeak(bool isDouble) {
  return isDouble ? measure<double>() : measure<float>();
}

} // namespace gradus

// x / (1 + e^-x) and its derivative, for f64 and f32; and the lengths of rows.
#include <math.h>
#include <stdint.h>

#define SWISH(real, f)                                                         \
  void swish##f(const real *x, real *y, int64_t n) {                           \
    for (int64_t i = 0; i < n; ++i)                                            \
      y[i] = x[i] / (1 + exp##f(-x[i]));                                       \
  }                                                                            \
  void swish_slope##f(const real *x, real *y, int64_t n) {                     \
    for (int64_t i = 0; i < n; ++i) {                                          \
      real s = 1 / (1 + exp##f(-x[i]));                                        \
      y[i] = s + x[i] * s * (1 - s);                                           \
    }                                                                          \
  }                                                                            \
  void lengths##f(const real *x, const real *scale, real *y, int64_t b,        \
                  int64_t n) {                                                 \
    for (int64_t i = 0; i < b; ++i) {                                          \
      real sum = 0;                                                            \
      for (int64_t j = 0; j < n; ++j)                                          \
        sum += x[i * n + j] * x[i * n + j];                                    \
      y[i] = *scale * sqrt##f(sum);                                            \
    }                                                                          \
  }
SWISH(double, )
SWISH(float, f)

// Of whole numbers, positions and truth values.
void mixed(const int64_t *a, const int32_t *i, const uint8_t *taken,
           const uint8_t *byte, float *y, int64_t n) {
  for (int64_t k = 0; k < n; ++k)
    y[k] = taken[k] ? (float)(a[k] + i[k] + byte[k]) : -1;
}

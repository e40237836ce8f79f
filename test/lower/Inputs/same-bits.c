// Runs the kernels of same-bits-on-aarch64.mlir and prints their results to the
// last bit, so that two processors can be compared.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dense(void *const *, const void *);
void weights(void *const *, const void *);
void softmax(void *const *, const void *);
void activations(void *const *, const void *);

enum { kGuard = 64 };

/// `count` numbers from [-1, 1), the same everywhere, with a guard behind them.
static float *numbers(long count) {
  static unsigned state = 1;
  float *data = aligned_alloc(64, (count * 4 + kGuard + 63) / 64 * 64);
  for (long i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    data[i] = (float)(int)state / 2147483648.0f;
  }
  memset(data + count, 0x5a, kGuard);
  return data;
}

static void print(const char *name, const float *data, long count) {
  for (long i = 0; i < count; ++i)
    printf("%s %ld %a\n", name, i, data[i]);
  for (int i = 0; i < kGuard; ++i)
    if (((const char *)(data + count))[i] != 0x5a)
      printf("%s writes behind its result\n", name);
}

static void run(const char *name, void (*kernel)(void *const *, const void *),
                const long *sizes, int inputs) {
  void *buffers[4];
  for (int i = 0; i <= inputs; ++i)
    buffers[i] = numbers(sizes[i]);
  kernel(buffers, 0);
  print(name, buffers[inputs], sizes[inputs]);
}

int main(void) {
  run("dense", dense, (long[]){23 * 50, 50 * 47, 47, 23 * 47}, 3);
  run("weights", weights, (long[]){37 * 19, 37 * 30, 19 * 30}, 2);
  run("softmax", softmax, (long[]){9 * 11, 9 * 11}, 1);
  run("activations", activations, (long[]){7 * 45, 7 * 45}, 1);
  return 0;
}

// The entry of libFuzzer; tools/fuzz builds and runs it.
#include "test/fuzz/CheckOneInput.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  gradus::checkOneInput({reinterpret_cast<const char *>(data), size});
  return 0;
}

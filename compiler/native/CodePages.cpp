#include "compiler/native/CodePages.h"

#include <cstdint>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace gradus::native {

/// Segments that nothing may write are equal to their file.
static int giveBack(dl_phdr_info *object, size_t, void *) {
  uintptr_t page = sysconf(_SC_PAGESIZE);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W))
      continue;
    uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    uintptr_t end = begin + segment.p_memsz;
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (begin < end)
      // NOLINTNEXTLINE(performance-no-int-to-ptr): addresses come as numbers.
      madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

void giveBackPages() {
  malloc_trim(0);
  dl_iterate_phdr(giveBack, nullptr);
}

} // namespace gradus::native

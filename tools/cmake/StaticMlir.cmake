# The release binary links MLIR and LLVM as archives, so that it runs where
# neither is installed. The linker takes from an archive only the members that
# are referred to and drops unused sections of these: it matters that nothing
# refers to a target other than x86, not how many archives are listed. Debian's
# targets (MLIRIR, ...) are of no use here, as each of them asks for libLLVM.so.
file(GLOB mlir_archives ${MLIR_INSTALL_PREFIX}/lib/libMLIR*.a)
list(FILTER mlir_archives EXCLUDE REGEX "libMLIRCAPI")

llvm_map_components_to_libnames(llvm_libraries
  analysis core debuginfodwarf executionengine irreader jitlink native
  orcjit passes support target targetparser)
# The archives these need, transitively; LLVM itself is the shared library.
set(llvm_archives "")
set(pending ${llvm_libraries})
while(NOT pending STREQUAL "")
  list(POP_FRONT pending library)
  if(library IN_LIST llvm_archives OR NOT TARGET ${library}
      OR NOT library MATCHES "^LLVM.")
    continue()
  endif()
  list(APPEND llvm_archives ${library})
  get_target_property(needed ${library} INTERFACE_LINK_LIBRARIES)
  if(needed)
    list(APPEND pending ${needed})
  endif()
endwhile()
list(TRANSFORM llvm_archives REPLACE "(.+)"
  "${LLVM_LIBRARY_DIR}/lib\\1.a")

find_library(ZSTD_ARCHIVE libzstd.a REQUIRED)
find_library(ZLIB_ARCHIVE libz.a REQUIRED)
target_link_libraries(gradus_mlir INTERFACE
  -Wl,--start-group ${mlir_archives} ${llvm_archives} -Wl,--end-group
  ${ZSTD_ARCHIVE} ${ZLIB_ARCHIVE})
# Kernels call the C library through a table of addresses (native/Symbols.def),
# not through the dynamic linker, so that even the C library can be an archive:
# the file runs on any Linux. Folding equal functions saves a sixth.
add_link_options(-static -Wl,--icf=all -Wl,--strip-all)

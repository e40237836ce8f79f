# Warnings are errors in our own code; headers of others are system headers.
add_library(gradus_warnings INTERFACE)
target_compile_options(gradus_warnings INTERFACE
  -Wall -Wextra -Wno-unused-parameter -Werror -ffunction-sections
  -fdata-sections)
target_include_directories(gradus_warnings INTERFACE ${PROJECT_SOURCE_DIR}
  ${PROJECT_BINARY_DIR})

# What a file that sees MLIR needs: shared libraries for development, archives
# for the release binary.
add_library(gradus_mlir INTERFACE)
target_include_directories(gradus_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS}
  ${LLVM_INCLUDE_DIRS})
separate_arguments(llvm_definitions NATIVE_COMMAND ${LLVM_DEFINITIONS})
target_compile_definitions(gradus_mlir INTERFACE ${llvm_definitions})
if(GRADUS_STATIC)
  include(${PROJECT_SOURCE_DIR}/tools/cmake/StaticMlir.cmake)
else()
  target_link_libraries(gradus_mlir INTERFACE MLIR LLVM)
endif()

# gradus_library(NAME source... [MLIR] [LINK library...])
# A static library of one folder. MLIR: it sees MLIR and shares the precompiled
# header of gradus_dialect.
function(gradus_library name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE gradus_warnings PUBLIC ${ARG_LINK})
  if(ARG_MLIR)
    target_link_libraries(${name} PUBLIC gradus_mlir)
    if(name STREQUAL "gradus_dialect")
      target_precompile_headers(${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/dialect/Precompiled.h)
    else()
      target_precompile_headers(${name} REUSE_FROM gradus_dialect)
    endif()
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

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

# Headers of others, compiled once: parsing them is most of the time of a build.
# gradus_precompiled_KIND owns what tools/cmake/PrecompiledKIND.h lists.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/Empty.cpp CONTENT "")
function(gradus_precompiled kind)
  add_library(gradus_precompiled_${kind} OBJECT ${PROJECT_BINARY_DIR}/Empty.cpp)
  target_link_libraries(gradus_precompiled_${kind} PRIVATE gradus_warnings
    ${ARGN})
  target_precompile_headers(gradus_precompiled_${kind} PRIVATE
    ${PROJECT_SOURCE_DIR}/tools/cmake/Precompiled${kind}.h)
endfunction()
gradus_precompiled(Mlir gradus_mlir fmt::fmt)
gradus_precompiled(Std fmt::fmt nlohmann_json::nlohmann_json)
gradus_precompiled(Test fmt::fmt nlohmann_json::nlohmann_json GTest::gtest)
# Tests are compiled more often than they run.
target_compile_options(gradus_precompiled_Test PRIVATE -O0)

# gradus_library(NAME source... [MLIR] [LINK library...])
# A static library of one folder. MLIR: it sees MLIR.
function(gradus_library name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE gradus_warnings PUBLIC ${ARG_LINK})
  if(ARG_MLIR)
    target_link_libraries(${name} PUBLIC gradus_mlir)
    target_precompile_headers(${name} REUSE_FROM gradus_precompiled_Mlir)
  else()
    target_precompile_headers(${name} REUSE_FROM gradus_precompiled_Std)
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

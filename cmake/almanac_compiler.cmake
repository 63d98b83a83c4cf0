# Language level, warnings, sanitizers and ccache. What only our own code is built with hangs on the
# target almanac_private, so that a program that embeds the libraries does not inherit it.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(ALMANAC_CCACHE ccache)
if(ALMANAC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what precompiled headers need.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${ALMANAC_CCACHE})
endif()

add_library(almanac_private INTERFACE)
target_compile_options(almanac_private INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wcast-align -Wformat=2 -Wvla
  -Wno-missing-field-initializers  # designated initialisers leave out what has a default
  -fmacro-prefix-map=${PROJECT_BINARY_DIR}/include/almanac/=
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
  $<$<BOOL:${ALMANAC_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(almanac_private INTERFACE
    -Wshadow=local -Wduplicated-cond -Wlogical-op -Wsuggest-override -fpch-preprocess
    --param=ggc-min-heapsize=524288)  # KiB; collecting less garbage takes a tenth less time
  if(CMAKE_UNITY_BUILD)
    # It takes what stands in an included .cc for a header.
    target_compile_options(almanac_private INTERFACE -Wno-subobject-linkage)
  endif()
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # Known false alarms of GCC 12 on std::string, std::variant and std::array once they are inlined.
    target_compile_options(almanac_private INTERFACE
      -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overread)
  endif()
else()
  # std::stable_sort of GCC's library calls what that library has deprecated.
  target_compile_options(almanac_private INTERFACE -Wshadow -Wno-deprecated-declarations)
endif()

if(ALMANAC_SANITIZE)
  add_compile_options(-fsanitize=${ALMANAC_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ALMANAC_SANITIZE})
endif()

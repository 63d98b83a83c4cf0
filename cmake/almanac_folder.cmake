# almanac_folder(NAME [NEEDS FOLDER] [PRIVATE TARGET...] [PRECOMPILE HEADER...]): the static library
# almanac_NAME of every .cc below NAME/ (but a main.cc), seeing its own folder and what stands left of
# it on the arrow. PRIVATE are foreign libraries no header of the folder shows. A folder without
# sources becomes an interface, so that the arrow holds from the first day.
#
# PRECOMPILE is what most of its files include beside the standard library: reading headers is most
# of what a compiler does here. That each file includes what it uses is seen by the preset clang,
# which precompiles nothing.
#
# The preset release compiles ten files at once (CMAKE_UNITY_BUILD): a build takes half the time. So
# names in anonymous namespaces are unique within a folder.
set(almanac_standard_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstring> <deque> <expected>
  <filesystem> <functional> <map> <memory> <mutex> <optional> <ranges> <set> <span> <string>
  <string_view> <thread> <unordered_map> <unordered_set> <utility> <variant> <vector>)

function(almanac_folder name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NEEDS" "PRIVATE;PRECOMPILE")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.cc)
  list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${name}/main.cc)

  set(visible PUBLIC)
  if(sources)
    add_library(almanac_${name} STATIC ${sources})
    target_link_libraries(almanac_${name} PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:almanac_private>)
    target_precompile_headers(almanac_${name} PRIVATE ${almanac_standard_headers} ${arg_PRECOMPILE})
  else()
    set(visible INTERFACE)
    add_library(almanac_${name} INTERFACE)
  endif()
  add_library(almanac::${name} ALIAS almanac_${name})
  set_target_properties(almanac_${name} PROPERTIES EXPORT_NAME ${name})

  target_compile_features(almanac_${name} ${visible} cxx_std_23)
  target_include_directories(almanac_${name} ${visible}
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_include_directories(almanac_${name} SYSTEM ${visible}
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
  if(arg_NEEDS)
    target_link_libraries(almanac_${name} ${visible} almanac_${arg_NEEDS})
  endif()
endfunction()

# almanac_schemas(TARGET): generates C++ from log/**.capnp into generated/almanac/log/ and adds it to
# TARGET, warnings off. Only codecs include it, as <almanac/log/frame.capnp.h>.
find_program(CAPNP_EXECUTABLE capnp REQUIRED)
find_program(CAPNPC_CXX_EXECUTABLE capnpc-c++ REQUIRED)

function(almanac_schemas target)
  file(GLOB_RECURSE schemas CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
       ${PROJECT_SOURCE_DIR}/log/*.capnp)
  if(NOT schemas)
    return()
  endif()
  set(generated ${PROJECT_BINARY_DIR}/generated/almanac)
  list(TRANSFORM schemas REPLACE "(.+)" "${generated}/\\1.h" OUTPUT_VARIABLE headers)
  list(TRANSFORM schemas REPLACE "(.+)" "${generated}/\\1.c++" OUTPUT_VARIABLE sources)
  add_custom_command(
    OUTPUT ${headers} ${sources}
    COMMAND ${CAPNP_EXECUTABLE} compile -o ${CAPNPC_CXX_EXECUTABLE}:${generated}
            -I ${capnp_INCLUDEDIR} ${schemas}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DEPENDS ${schemas}
    COMMENT "Generating the schemas' C++"
    VERBATIM)
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS -w)
  add_custom_target(almanac_schemas DEPENDS ${headers} ${sources})
  target_sources(${target} PRIVATE ${sources} ${headers})
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:Clang>:SHELL:-include ${PROJECT_SOURCE_DIR}/cmake/capnp_with_clang.h>)
endfunction()

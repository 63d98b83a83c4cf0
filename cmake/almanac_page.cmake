# almanac_page(TARGET): builds web/ into one bundle and adds it to TARGET as compressed bytes. What it
# takes from npm lies in web/ of the build folder, by the versions of package-lock.json; sources are
# linked in there, so that nothing is written into the tree. ALMANAC_PAGE=OFF leaves the page out.
function(almanac_page target)
  set(generated ${PROJECT_BINARY_DIR}/generated/page_files.cc)
  if(NOT ALMANAC_PAGE)
    file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
      "#include <almanac/daemon/page_files.h>\n
namespace almanac {\nstd::span<const PageFile> page_files() { return {}; }\n}\n")
    target_sources(${target} PRIVATE ${generated})
    return()
  endif()
  find_program(ALMANAC_NODE NAMES node nodejs)
  find_program(ALMANAC_NPM npm)
  if(NOT ALMANAC_NODE OR NOT ALMANAC_NPM)
    message(FATAL_ERROR "Node.js and npm, which build the page for browsers, are missing. "
      "Install the packages nodejs and npm, or configure with -DALMANAC_PAGE=OFF.")
  endif()

  set(source ${PROJECT_SOURCE_DIR}/web)
  set(folder ${PROJECT_BINARY_DIR}/web)
  file(MAKE_DIRECTORY ${folder})
  foreach(name package.json package-lock.json)
    configure_file(${source}/${name} ${folder}/${name} COPYONLY)
  endforeach()
  foreach(name src tests tsconfig.json build.js)
    file(CREATE_LINK ${source}/${name} ${folder}/${name} SYMBOLIC)
  endforeach()

  set(installed ${folder}/node_modules/.package-lock.json)
  add_custom_command(
    OUTPUT ${installed}
    COMMAND ${ALMANAC_NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${installed}
    WORKING_DIRECTORY ${folder}
    DEPENDS ${folder}/package-lock.json ${folder}/package.json
    COMMENT "Getting what the page is built with"
    VERBATIM)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${source}/src/*)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${ALMANAC_NODE} --preserve-symlinks --preserve-symlinks-main build.js ${generated}
    WORKING_DIRECTORY ${folder}
    DEPENDS ${installed} ${sources} ${source}/build.js ${source}/tsconfig.json
    COMMENT "Building the page"
    VERBATIM)
  set_source_files_properties(${generated} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(${target} PRIVATE ${generated})
endfunction()

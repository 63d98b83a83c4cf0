# The command, the libraries, their headers, a package for find_package(almanac), and the
# documentation.
include(CMakePackageConfigHelpers)
set(folders log projections snapshots engine tools daemon)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/almanac)

if(TARGET almanac)
  install(TARGETS almanac)
endif()
list(TRANSFORM folders PREPEND almanac_ OUTPUT_VARIABLE libraries)
install(TARGETS ${libraries} EXPORT almanac)
foreach(folder IN LISTS folders)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/almanac
          FILES_MATCHING PATTERN "*.h" PATTERN "*_codec.h" EXCLUDE PATTERN "lmdb.h" EXCLUDE
          PATTERN "store_environment.h" EXCLUDE)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/generated/almanac/version.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/almanac)

# What the help of a command names, with what it links to.
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
              ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/examples
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT almanac NAMESPACE almanac:: DESTINATION ${package_dir}
        FILE almanacTargets.cmake)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/almanacConfig.cmake.in ${PROJECT_BINARY_DIR}/almanacConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/almanacConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/almanacConfig.cmake
              ${PROJECT_BINARY_DIR}/almanacConfigVersion.cmake
        DESTINATION ${package_dir})

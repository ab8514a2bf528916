# The installed package: headers, parts, and what find_package(daig CONFIG) needs.
#
# As with Boost, the headers (daig::daig) come without asking, and each compiled part is a component
# that only whoever names it must have the libraries for.
include(CMakePackageConfigHelpers)

set(daig_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/daig)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/daig DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING REGEX "\\.[hi]pp$")
install(TARGETS daig EXPORT daig-headers)
install(EXPORT daig-headers NAMESPACE daig:: DESTINATION ${daig_package_folder})

# How to find the library behind a target, where the name before the :: alone does not say.
set(daig_package_of_MPI "MPI COMPONENTS CXX")
set(daig_package_of_hdf5 "HDF5 COMPONENTS C")
set(daig_package_of_SQLite "SQLite3")

# For each part: the packages it needs, and the parts below it, lowest first.
set(DAIG_PART_NEEDS)
get_property(DAIG_PARTS GLOBAL PROPERTY DAIG_PARTS)
foreach(part IN LISTS DAIG_PARTS)
  install(TARGETS daig_${part} EXPORT daig-${part} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT daig-${part} NAMESPACE daig:: DESTINATION ${daig_package_folder})

  set(packages_${part})
  set(parts_${part})
  get_property(links GLOBAL PROPERTY DAIG_LINKS_${part})
  foreach(link IN LISTS links)
    if(link MATCHES "^daig::(.+)$")
      list(APPEND packages_${part} ${packages_${CMAKE_MATCH_1}})
      list(APPEND parts_${part} ${parts_${CMAKE_MATCH_1}} ${CMAKE_MATCH_1})
    elseif(link MATCHES "^([^:$]+)::")
      set(package ${CMAKE_MATCH_1})
      if(DEFINED daig_package_of_${package})
        set(package "${daig_package_of_${package}}")
      endif()
      list(APPEND packages_${part} "${package}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages_${part})
  list(REMOVE_DUPLICATES parts_${part})
  string(APPEND DAIG_PART_NEEDS "set(daig_${part}_packages \"${packages_${part}}\")\n"
                                "set(daig_${part}_parts \"${parts_${part}}\")\n")
endforeach()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/daigConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/daigConfig.cmake
                              INSTALL_DESTINATION ${daig_package_folder})
# Before 1.0 a new minor version may break what compiled with the last one.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/daigConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/daigConfig.cmake ${PROJECT_BINARY_DIR}/daigConfigVersion.cmake
        DESTINATION ${daig_package_folder})

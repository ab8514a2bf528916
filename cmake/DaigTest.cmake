# daig_add_test(NAME SOURCES ... [LIBRARIES ...] [RANKS 1 2 ...] [TIMEOUT seconds] [LABELS ...])
#
# One Boost.Test program and its ctest entries. With RANKS it runs once under mpirun for each count
# (entry NAME_nRANKS, label mpi); without, once as it is.
function(daig_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT" "SOURCES;LIBRARIES;RANKS;LABELS")
  if(NOT test_TIMEOUT)
    set(test_TIMEOUT 120)
  endif()
  add_executable(${name} ${test_SOURCES})
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE daig::daig ${test_LIBRARIES} Boost::unit_test_framework
                                        daig_build_options)
  if(test_RANKS)
    foreach(ranks IN LISTS test_RANKS)
      add_test(NAME ${name}_n${ranks} COMMAND ${DAIG_MPIRUN} -n ${ranks} $<TARGET_FILE:${name}>)
      set_tests_properties(${name}_n${ranks} PROPERTIES TIMEOUT ${test_TIMEOUT}
                           LABELS "mpi;${test_LABELS}" PROCESSORS 2)
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${test_TIMEOUT} LABELS "${test_LABELS}"
                         SKIP_RETURN_CODE 77)
  endif()
endfunction()

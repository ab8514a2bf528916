# How this project registers its tests: one function a kind, so that every test has its ranks,
# processors, time limit, labels and sanitizer settings from here.

set(DAIG_OPTIONAL_PARTS mpi data nn hdf5 ledger)

# What every test's environment holds. Open MPI, its PMIx and hwloc keep memory until the process
# ends; the suppressions name these libraries and what formats their texts, nothing of our own.
set(DAIG_TEST_ENVIRONMENT "DAIG_LOG=warning")
if(DAIG_SANITIZE)
  list(APPEND DAIG_TEST_ENVIRONMENT
       "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
       "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/leaks.supp:print_suppressions=0"
       "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/races.supp:second_deadlock_stack=1"
       "UBSAN_OPTIONS=print_stacktrace=1")
endif()
if(DAIG_SANITIZE MATCHES "address")
  add_library(daig_keep_plugins MODULE ${PROJECT_SOURCE_DIR}/tests/support/keep_plugins.cpp)
endif()

# Ranks outnumber cores in the tests: let them share, and give way while they wait.
set(DAIG_MPIRUN mpirun --oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
execute_process(COMMAND id -u OUTPUT_VARIABLE daig_user_id OUTPUT_STRIP_TRAILING_WHITESPACE)
if(daig_user_id STREQUAL "0")
  list(APPEND DAIG_MPIRUN --allow-run-as-root)
endif()

# daig_test_properties(TEST [PROCESSORS n] [TIMEOUT seconds] [LABELS ...])
#
# For a ctest entry made by add_test itself. Exit code 77 means skipped; the test prints why.
# The tests that may take longest begin first, so that the short ones fill the gaps.
# PROCESSORS is how many run at once in it. scripts/test gives ctest two places for each processor,
# as most of what takes long here waits: for a deadline, for a process, for a lost rank.
function(daig_test_properties test)
  cmake_parse_arguments(PARSE_ARGV 1 set "" "PROCESSORS;TIMEOUT" "LABELS")
  if(NOT set_PROCESSORS)
    set(set_PROCESSORS 1)
  endif()
  if(NOT set_TIMEOUT)
    set(set_TIMEOUT 120)
  endif()
  set(environment "${DAIG_TEST_ENVIRONMENT}")
  if("losses" IN_LIST set_LABELS)
    # Hardly a process comes to its own end in these: none is asked what it has left.
    string(REPLACE "ASAN_OPTIONS=" "ASAN_OPTIONS=detect_leaks=0:" environment "${environment}")
  elseif("mpi" IN_LIST set_LABELS AND TARGET daig_keep_plugins)
    list(APPEND environment "LD_PRELOAD=$<TARGET_FILE:daig_keep_plugins>")
  endif()
  set_tests_properties(${test} PROPERTIES
                       PROCESSORS ${set_PROCESSORS} TIMEOUT ${set_TIMEOUT} COST ${set_TIMEOUT}
                       SKIP_RETURN_CODE 77
                       LABELS "${set_LABELS}" ENVIRONMENT "${environment}")
endfunction()

# daig_add_test(NAME SOURCES ... [LIBRARIES ...] [RANKS 1 2 ...] [PROCESSORS n] [TIMEOUT seconds]
#               [LABELS ...] [THREADS] [ALONE])
#
# A file of Boost.Test cases, as a ctest entry of its own. The files of a folder are compiled into one
# program, FOLDER_tests, as most of what compiling them takes is the same headers and templates again;
# of it, the entry runs the suite that is named like the first source. With ALONE a file is a program
# of its own: it has a main function, or replaces something for the whole program. So it is with RANKS:
# it runs once under mpirun for each count (entry NAME_nRANKS, label mpi).
#
# A test of a part that is not built is left out, and configuring says so. One that has THREADS is for
# ThreadSanitizer, too, which the others have nothing to tell. Where DAIG_TESTS_COMPUTE is set, the
# folder's tests compute for so long that they are optimised.
function(daig_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "THREADS;ALONE" "PROCESSORS;TIMEOUT"
                        "SOURCES;LIBRARIES;RANKS;LABELS")
  if(DAIG_SANITIZE STREQUAL "thread" AND NOT test_THREADS)
    return()
  endif()
  set(needed ${test_LIBRARIES})
  if(test_RANKS)
    list(APPEND needed daig::mpi)
  endif()
  foreach(part IN LISTS DAIG_OPTIONAL_PARTS)
    if("daig::${part}" IN_LIST needed AND NOT TARGET daig::${part})
      message(STATUS "Test ${name} is left out: daig::${part} is not built")
      return()
    endif()
  endforeach()

  set(suite)
  if(test_ALONE OR test_RANKS)
    set(program ${name})
    daig_test_program(${program})
  else()
    cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
    set(program ${folder}_tests)
    if(NOT TARGET ${program})
      daig_test_program(${program})
      target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/main.cpp)
    endif()
    list(GET test_SOURCES 0 suite)
    cmake_path(GET suite STEM suite)
    set(suite --run_test=${suite})
  endif()
  target_sources(${program} PRIVATE ${test_SOURCES})
  target_link_libraries(${program} PRIVATE ${test_LIBRARIES})
  if(test_RANKS)
    foreach(ranks IN LISTS test_RANKS)
      # Waiting ranks give way: many of them leave room for something else.
      set(processors ${ranks})
      if(processors GREATER 3)
        set(processors 3)
      endif()
      add_test(NAME ${name}_n${ranks} COMMAND ${DAIG_MPIRUN} -n ${ranks} $<TARGET_FILE:${program}>)
      daig_test_properties(${name}_n${ranks} PROCESSORS ${processors} TIMEOUT ${test_TIMEOUT}
                           LABELS mpi ${test_LABELS})
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${program} ${suite})
    daig_test_properties(${name} PROCESSORS ${test_PROCESSORS} TIMEOUT ${test_TIMEOUT}
                         LABELS ${test_LABELS})
  endif()
endfunction()

# A program of Boost.Test, without its sources yet.
function(daig_test_program name)
  add_executable(${name})
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE daig::compiled Boost::unit_test_framework daig_build_options)
  if(DAIG_TESTS_COMPUTE)
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  else()
    target_compile_options(${name} PRIVATE -O0)
  endif()
endfunction()

# daig_add_fuzzer(NAME SOURCES ... [LIBRARIES ...] [SEEDS folder] [RUNS n])
#
# One libFuzzer program (it defines LLVMFuzzerTestOneInput) and its ctest entry (label fuzz): RUNS
# inputs, always the same ones, starting from the files in SEEDS. To search on, run the program
# itself with a folder for what it finds.
function(daig_add_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 fuzz "" "SEEDS;RUNS" "SOURCES;LIBRARIES")
  if(NOT fuzz_RUNS)
    set(fuzz_RUNS 20000)
  endif()
  add_executable(${name} ${fuzz_SOURCES})
  target_link_libraries(${name} PRIVATE daig::compiled ${fuzz_LIBRARIES} daig_build_options
                                        daig_seen_by_fuzzers)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(found ${CMAKE_CURRENT_BINARY_DIR}/${name}_found)
  file(MAKE_DIRECTORY ${found})
  set(seeds)
  if(fuzz_SEEDS)
    get_filename_component(seeds ${fuzz_SEEDS} ABSOLUTE)
  endif()
  add_test(NAME ${name} COMMAND ${name} -seed=1 -runs=${fuzz_RUNS} -timeout=10 -rss_limit_mb=2048
                                        -print_final_stats=1 -artifact_prefix=${found}/
                                        ${found} ${seeds})
  daig_test_properties(${name} TIMEOUT 300 LABELS fuzz)
endfunction()

# daig_find_numpy(VARIABLE): a Python 3 that has NumPy, where there is one; a python of the user's may lack
# the system's.
function(daig_find_numpy variable)
  set(python python3)
  foreach(candidate /usr/bin/python3 python3)
    execute_process(COMMAND ${candidate} -c "import numpy" RESULT_VARIABLE without_numpy
                    OUTPUT_QUIET ERROR_QUIET)
    if(without_numpy EQUAL 0)
      set(python ${candidate})
    endif()
  endforeach()
  set(${variable} ${python} PARENT_SCOPE)
endfunction()

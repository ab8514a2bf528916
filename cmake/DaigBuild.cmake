# How this project compiles its own code. Nothing here reaches a project that uses DAIG.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

option(DAIG_WARNINGS_AS_ERRORS "Let a warning stop the build" OFF)

# Options of every target of this project: warnings, sanitizers.
add_library(daig_build_options INTERFACE)
target_compile_options(daig_build_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                    -Wnon-virtual-dtor -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # When it optimises, GCC 12 warns of what cannot happen inside std::string, std::vector and
  # std::function (GCC's bugs 105329, 105562, 105651). Of these, clang-tidy and the sanitizers tell.
  target_compile_options(daig_build_options INTERFACE
                         -Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict
                         -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(DAIG_WARNINGS_AS_ERRORS)
  target_compile_options(daig_build_options INTERFACE -Werror)
endif()
if(DAIG_SANITIZE)
  target_compile_options(daig_build_options INTERFACE -fsanitize=${DAIG_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(daig_build_options INTERFACE -fsanitize=${DAIG_SANITIZE})
endif()

# For what fuzzers look into: lets libFuzzer see which branches an input takes. The fuzzers alone
# link its main program.
add_library(daig_seen_by_fuzzers INTERFACE)
if(DAIG_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "DAIG_FUZZERS needs libFuzzer, which comes with clang only: configure with "
                        "-DCMAKE_CXX_COMPILER=clang++, or use the preset asan")
  endif()
  target_compile_options(daig_seen_by_fuzzers INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Compiling takes most of the time that sanitized builds take: what computes little itself is not
# optimised in them.
add_library(daig_light_when_sanitized INTERFACE)
if(DAIG_SANITIZE)
  target_compile_options(daig_light_when_sanitized INTERFACE -O0)
endif()

# Installs BUILD below WORK; configures, builds and runs the outside project CONSUMER with it.
cmake_minimum_required(VERSION 3.22)

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${what} failed (${result}):\n${text}")
  endif()
  message(STATUS "${what}: done")
  set(output "${text}" PARENT_SCOPE)
endfunction()

function(expect_output wanted)
  if(NOT output MATCHES "${wanted}")
    message(FATAL_ERROR "expected '${wanted}' in:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)
run("Install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})

set(configure ${CMAKE_COMMAND} -S ${CONSUMER} -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX}
              -D CMAKE_BUILD_TYPE=Release -D CMAKE_PREFIX_PATH=${prefix})

# The headers alone, with no package but fmt to be found.
run("Configure with the headers alone" ${configure} -B ${WORK}/headers
    -D CMAKE_DISABLE_FIND_PACKAGE_MPI=ON -D CMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON
    -D CMAKE_DISABLE_FIND_PACKAGE_BLAS=ON -D CMAKE_DISABLE_FIND_PACKAGE_HDF5=ON
    -D CMAKE_DISABLE_FIND_PACKAGE_SQLite3=ON)
run("Build with the headers alone" ${CMAKE_COMMAND} --build ${WORK}/headers)
run("Run with the headers alone" ${WORK}/headers/threads)
expect_output("4 threads agree")

# All parts that this build has.
run("Configure with all parts" ${configure} -B ${WORK}/parts "-DPARTS=${PARTS}")
run("Build with all parts" ${CMAKE_COMMAND} --build ${WORK}/parts)
run("Run with all parts" ${WORK}/parts/threads)
if(PARTS MATCHES "mpi")
  run("Run under mpirun" ${MPIRUN} -n 2 ${WORK}/parts/ranks)
  expect_output("2 ranks agree")
endif()

# A part that is not there is refused by name.
execute_process(COMMAND ${configure} -B ${WORK}/absent -D PARTS=teleport
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "a part that does not exist was found")
endif()
expect_output("daig::teleport was not installed")

if(LAUNCHER)
  run("Run the installed command" ${prefix}/bin/daig --version)
endif()

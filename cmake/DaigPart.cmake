# daig_add_part(NAME SOURCES ... [PUBLIC ...] [PRIVATE ...])
#
# One compiled part of the library: daig::NAME, in libdaig_NAME, over daig::daig. PRIVATE libraries
# are the part's outside libraries; no public header mentions them. Both lists hold targets
# (ZLIB::ZLIB, daig::nn), from which cmake/DaigInstall.cmake tells what the installed part needs.
function(daig_add_part name)
  cmake_parse_arguments(PARSE_ARGV 1 part "" "" "SOURCES;PUBLIC;PRIVATE")
  add_library(daig_${name} ${part_SOURCES})
  add_library(daig::${name} ALIAS daig_${name})
  set_target_properties(daig_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(daig_${name} PUBLIC daig::daig ${part_PUBLIC}
                        PRIVATE ${part_PRIVATE} $<BUILD_INTERFACE:daig_build_options>
                                $<BUILD_INTERFACE:daig_seen_by_fuzzers>)
  set_property(GLOBAL APPEND PROPERTY DAIG_PARTS ${name})
  set_property(GLOBAL PROPERTY DAIG_LINKS_${name} ${part_PUBLIC} ${part_PRIVATE})
endfunction()

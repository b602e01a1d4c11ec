# SPDX-License-Identifier: MIT
# Programs that run on any Linux, whatever is installed there: build-scripts/package.sh sets EBT_PORTABLE to the
# folder with the libcurl that it made.
if(NOT EBT_STATIC OR EBT_TESTS OR EBT_BENCH)
  message(FATAL_ERROR "EBT_PORTABLE is for build-scripts/package.sh: it needs EBT_STATIC, without tests and benchmarks")
endif()

add_compile_options(-fstack-protector-strong)
add_link_options(-Wl,-z,relro,-z,now,--build-id=sha1)
add_compile_definitions(EBT_PORTABLE $<$<NOT:$<COMPILE_LANGUAGE:ASM>>:_FORTIFY_SOURCE=2>)
# No path of the machine that builds, so that any folder gives the same bytes, below the sources or not. Of several that
# fit, the compiler takes the last.
foreach(map IN ITEMS ${CMAKE_SOURCE_DIR}=. ${CMAKE_SOURCE_DIR}/= ${CMAKE_BINARY_DIR}=. ${CMAKE_BINARY_DIR}/=
                     ${EBT_PORTABLE}=curl)
  add_compile_options($<$<NOT:$<COMPILE_LANGUAGE:ASM>>:-ffile-prefix-map=${map}>)
endforeach()

# What would load the host's libraries, before the C library's own.
add_library(portable_refused OBJECT packaging/portable/refused.c)
link_libraries($<TARGET_OBJECTS:portable_refused>)

find_library(EBT_CARES libcares.a REQUIRED)
find_package(OpenSSL REQUIRED)
add_library(CURL::libcurl STATIC IMPORTED GLOBAL)
set_target_properties(CURL::libcurl PROPERTIES
  IMPORTED_LOCATION ${EBT_PORTABLE}/lib/libcurl.a
  INTERFACE_INCLUDE_DIRECTORIES ${EBT_PORTABLE}/include
  INTERFACE_LINK_LIBRARIES "${EBT_CARES};OpenSSL::SSL;OpenSSL::Crypto")

# The map says which archives were used, for the list of what is linked in.
function(ebt_link_map program)
  target_link_options(${program} PRIVATE -Wl,-Map=${CMAKE_BINARY_DIR}/${program}.map)
endfunction()
cmake_language(DEFER CALL ebt_link_map ebpf_telemetry)
cmake_language(DEFER CALL ebt_link_map imds-tracker)
cmake_language(DEFER CALL ebt_link_map get_offsets)

# SPDX-License-Identifier: MIT
# cmake -C build-scripts/sanitized.cmake: the build with clang and sanitizers, which has the unit tests, the
# programs and the fuzzers.
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++ CACHE STRING "")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS -O1 CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG -gline-tables-only CACHE STRING "") # all that a stack needs
set(EBT_SANITIZE ON CACHE BOOL "")
set(EBT_FUZZ ON CACHE BOOL "")
set(EBT_TESTS ON CACHE BOOL "")

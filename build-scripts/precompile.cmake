# SPDX-License-Identifier: MIT
# ebt_precompile(<target> standard|tests): with EBT_PCH the target's sources start from
# build-scripts/precompiled/<set>.hpp, compiled once for the target.
function(ebt_precompile target set)
  if(EBT_PCH)
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/build-scripts/precompiled/${set}.hpp)
  endif()
endfunction()

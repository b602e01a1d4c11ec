# SPDX-License-Identifier: MIT
# ebt_precompile(<target> standard|tests): with EBT_PCH, the target uses build-scripts/precompiled/<set>.hpp as a
# precompiled header.
function(ebt_precompile target set)
  if(EBT_PCH)
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/build-scripts/precompiled/${set}.hpp)
  endif()
endfunction()

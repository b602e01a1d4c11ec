# SPDX-License-Identifier: MIT
# ebt_precompile(<target> standard|tests): with EBT_PCH, the target uses build-scripts/precompiled/<set>.hpp as a
# precompiled header. EBT_PCH=tests precompiles that set alone, so that ccache can share all other objects.
function(ebt_precompile target set)
  if(EBT_PCH STREQUAL set OR (EBT_PCH AND NOT EBT_PCH STREQUAL tests))
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/build-scripts/precompiled/${set}.hpp)
  endif()
endfunction()

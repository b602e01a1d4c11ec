# SPDX-License-Identifier: MIT
# ebt_compile_by_folder(<target>): with EBT_UNITY, the sources of each folder are compiled as one, which takes a third
# of the time. So names in their anonymous namespaces are different from each other, in a folder. Call it after
# properties of single sources are set: those that have options of their own are compiled alone, as is what is made.
function(ebt_compile_by_folder target)
  if(NOT EBT_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    if(source MATCHES "\\.cpp$")
      cmake_path(ABSOLUTE_PATH source NORMALIZE OUTPUT_VARIABLE path)
      cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE path)
      if(NOT path MATCHES "^\\.\\.")
        cmake_path(GET path PARENT_PATH folder)
        string(MAKE_C_IDENTIFIER ${folder} folder)
        set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder})
      endif()
    endif()
  endforeach()
endfunction()

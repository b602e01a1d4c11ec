# SPDX-License-Identifier: MIT
# embed_files(<variable> <symbol> <file> [<symbol> <file>]...)
# Makes a source file that embeds the files as read-only data, each between <symbol>_start and <symbol>_end,
# and sets the variable to its path.
function(embed_files variable)
  set(assembly "    .section .rodata\n")
  set(name embedded)
  set(files)
  while(ARGN)
    list(POP_FRONT ARGN symbol file)
    string(APPEND assembly
      "    .balign 16\n    .globl ${symbol}_start\n    .globl ${symbol}_end\n"
      "    .hidden ${symbol}_start\n    .hidden ${symbol}_end\n"
      "${symbol}_start:\n    .incbin \"${file}\"\n${symbol}_end:\n")
    string(APPEND name _${symbol})
    list(APPEND files ${file})
  endwhile()
  string(APPEND assembly "    .section .note.GNU-stack,\"\",@progbits\n")
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.S)
  file(CONFIGURE OUTPUT ${source} CONTENT "${assembly}")
  set_source_files_properties(${source} PROPERTIES LANGUAGE ASM OBJECT_DEPENDS "${files}")
  set(${variable} ${source} PARENT_SCOPE)
endfunction()

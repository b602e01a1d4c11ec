# SPDX-License-Identifier: MIT
# Toolchain file: builds for arm64 on another machine, with clang and the libraries of the build root that
# build-scripts/arm64/root.sh makes. cmake -DCMAKE_TOOLCHAIN_FILE=build-scripts/arm64/toolchain.cmake -DEBT_ROOT=FOLDER
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(EBT_ROOT "" CACHE PATH "The arm64 build root")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EBT_ROOT)
if(NOT EXISTS ${EBT_ROOT}/usr/lib/aarch64-linux-gnu)
  message(FATAL_ERROR "EBT_ROOT (${EBT_ROOT}) is no arm64 build root: make one with build-scripts/arm64/root.sh FOLDER")
endif()

set(triple aarch64-linux-gnu)
set(CMAKE_C_COMPILER clang)
set(CMAKE_CXX_COMPILER clang++)
foreach(language C CXX ASM)
  set(CMAKE_${language}_COMPILER_TARGET ${triple})
endforeach()
set(CMAKE_SYSROOT ${EBT_ROOT})
set(CMAKE_LIBRARY_ARCHITECTURE ${triple})
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64) # for tests to list their cases
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -fuse-ld=lld)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${EBT_ROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${EBT_ROOT}/usr/lib/${triple}/pkgconfig:${EBT_ROOT}/usr/share/pkgconfig)

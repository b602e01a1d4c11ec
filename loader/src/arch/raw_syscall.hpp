// SPDX-License-Identifier: LGPL-2.1
#pragma once
#if defined(__x86_64__)
#include "loader/src/arch/x86/raw_syscall.hpp"
#elif defined(__aarch64__)
#include "loader/src/arch/arm64/raw_syscall.hpp"
#else
#error "the loader knows no such architecture: add a folder to loader/src/arch"
#endif

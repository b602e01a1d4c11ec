// SPDX-License-Identifier: LGPL-2.1
#pragma once

/// Marks what the shared library exports. All else in it is compiled with hidden visibility, so
/// that a program can use, and replace by accident, only what these headers declare.
#define EBPF_LOADER_API __attribute__((visibility("default")))
/// Marks a private part of an exported class.
#define EBPF_LOADER_LOCAL __attribute__((visibility("hidden")))

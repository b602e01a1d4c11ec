// SPDX-License-Identifier: MIT
#pragma once

namespace kernel_test {

// x86-64 numbers that the C library's headers do not have yet.
inline constexpr long nr_fchmodat2 = 452;
inline constexpr long nr_setxattrat = 463;
inline constexpr long nr_removexattrat = 466;
inline constexpr long nr_open_tree_attr = 467;
inline constexpr long nr_file_setattr = 469;

} // namespace kernel_test

// SPDX-License-Identifier: MIT
// What events have for the fields that the program alone compares: see fields.cpp.
#pragma once
#include "telemetry/rules/fields.hpp"

namespace telemetry::rules::terms {

Values gid(const Event& event);
Values egid(const Event& event);
Values sgid(const Event& event);
Values fsgid(const Event& event);
Values suid(const Event& event);
Values fsuid(const Event& event);
Values ses(const Event& event);
Values file_uid(const Event& event);
Values file_gid(const Event& event);
Values file_mode(const Event& event);
Values file_type(const Event& event);
Values file_inode(const Event& event);
Values file_devmajor(const Event& event);
Values file_devminor(const Event& event);

Truth arch(const TextTest& test, const Event& event);
Truth cwd(const TextTest& test, const Event& event);
Truth tty(const TextTest& test, const Event& event);
Truth cmdline(const TextTest& test, const Event& event);
Truth argv(const TextTest& test, const Event& event);
Truth container(const TextTest& test, const Event& event);
Truth parent_exe(const TextTest& test, const Event& event);
Truth ancestor_exe(const TextTest& test, const Event& event);
/// Of TextTest::index as the row counts.
Truth argument(const TextTest& test, const Event& event);

inline constexpr uint8_t EVERY_ABI = (1 << EBT_ABIS) - 1;
/// The ABIs that the comparison allows: 1 << ebt_abi. EVERY_ABI for one that is not with `arch`.
uint8_t abis_of(const TextTest& test);

} // namespace telemetry::rules::terms

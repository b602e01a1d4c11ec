// SPDX-License-Identifier: MIT
// Where files are that no option names. The loader has one more, of offsets that it observed:
// /var/cache/ebpf_telemetry.
#pragma once

namespace telemetry::paths {

/// Above "NAME/NAME.conf" and "NAME/conf.d", files of options.
inline constexpr const char* settings = "/etc";
/// A folder of *.rules, which count where no option names others.
inline constexpr const char* rules = "/etc/ebpf-telemetry/rules.d";
/// Kernel offsets; and where versions before looked for them.
inline constexpr const char* offsets = "/etc/ebpf-telemetry/offsets.conf";
inline constexpr const char* earlier_offsets = "/etc/ebpf_telemetry/ebpf_telemetry.conf";

} // namespace telemetry::paths

// SPDX-License-Identifier: MIT
// The registry of output formats. A new one is a file that defines its Format, and a row in formats.def.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/output/formatter.hpp"

namespace telemetry {

struct Format {
    std::string_view name;      ///< what the option --format takes
    bool shows_lineage = false; ///< Event::lineage: all processes have to be followed then
    std::unique_ptr<Formatter> (*make)(const FormatContext&);
};

#define FORMAT(name) extern const Format name##_format;
#include "telemetry/output/formats.def"
#undef FORMAT

/// All of them; the first is the default.
std::span<const Format* const> formats();
/// Throws ebpf_loader::Error(usage) when there is none of that name.
const Format& format_named(std::string_view name);
/// "text, json": for messages.
std::string format_names();

} // namespace telemetry

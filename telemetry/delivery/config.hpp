// SPDX-License-Identifier: MIT
// Outputs that a file configures: --output-config.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/base/text/ini.hpp"
#include "telemetry/delivery/carrier.hpp"
#include "telemetry/output/formats.hpp"

namespace telemetry {

/// An output, checked but not opened.
struct OutputSettings {
    std::string name;
    std::string_view kind;
    std::string_view cause; ///< of its losses, in the stream: "output_NAME"
    const Format* format;
    std::vector<std::string> keys; ///< of rules; empty: events of all
    size_t queue_bytes;
    size_t max_line; ///< bytes of a line of JSON; 0: as long as it is
    std::string
        text; ///< of its section, with the versions of files that it names: two with the same do the same
    std::function<std::unique_ptr<Carrier>()> open; ///< throws ebpf_loader::Error
};

/// The sections [output.NAME] of the files, behind further ones. `host_root`: before the machine's
/// "/etc/passwd". Throws ebpf_loader::Error(usage) with file, line and what to do.
std::vector<OutputSettings> load_outputs(const std::vector<std::string>& files,
                                         const std::vector<FileSection>& sections = {},
                                         const std::string& host_root = "");
std::vector<OutputSettings> parse_outputs(std::string_view text, const std::string& file);

} // namespace telemetry

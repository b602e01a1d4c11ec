// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/account/losses.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry {

/// What a formatter knows about the run besides the event.
struct FormatContext {
    std::string node;         ///< host name
    std::string tier;         ///< "raw_tp", ...
    std::string boot_id;      ///< /proc/sys/kernel/random/boot_id; may be empty
    int64_t boot_time_ns = 0; ///< wall clock when the boot clock was 0, ns since the epoch; 0: not known
};

/// Appends events to a buffer, one line each, ended by '\n'. Never allocates per event
/// beyond the buffer's growth; never emits a raw control byte inside a line.
class Formatter {
  public:
    virtual ~Formatter() = default;
    virtual void format(const Event& event, std::string& out) = 0;
    virtual void format(const LossEvent& loss, std::string& out) = 0;
};

/// The formatter of that name, one of formatter_names(). Throws ebpf_loader::Error(usage)
/// for any other.
std::unique_ptr<Formatter> make_formatter(std::string_view name, const FormatContext& context);
/// "text", "json", ...: what the option --format can say.
std::span<const std::string_view> formatter_names();

} // namespace telemetry

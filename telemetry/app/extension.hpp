// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "telemetry/account/summary.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/output/formats.hpp"

namespace telemetry {

/// Makes further lines out of the engine's records, in the stream of events.
class Extension {
  public:
    virtual ~Extension() = default;

    /// Adds to what the kernel is asked for. Processes that come and go are selected already.
    virtual void select(ebpf_loader::Selection& selection) const = 0;
    /// A run begins: its helper is started, as a copy of this process before outputs and their threads are
    /// there.
    virtual void prepare() {}
    /// The engine is loaded; it stays for as long as there are events. `formats`: of the lines that will be
    /// taken.
    virtual void begin(ebpf_loader::Engine& engine, const FormatContext& context,
                       std::span<const Format* const> formats) = 0;
    /// The hooks are attached: nothing goes unseen.
    virtual void started() = 0;
    /// Every event, with its image. True: of a record that is nobody else's, something came.
    virtual bool take(const Event& event) = 0;
    /// From time to time, at least each 100 ms.
    virtual void tick() = 0;
    /// A helper of it will answer soon: it is to be called again then.
    virtual bool is_waiting() const { return false; }
    virtual std::vector<HelperReport> helpers() const { return {}; }
    /// There will be no more events.
    virtual void finish() = 0;
    /// Appends the lines that are ready in the format with this index; returns how many.
    virtual uint64_t take_lines(size_t format, std::string& out) = 0;
};

} // namespace telemetry

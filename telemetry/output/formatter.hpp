// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "telemetry/account/heartbeat.hpp"
#include "telemetry/account/losses.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/output/json/fields/fields.hpp"
#include "telemetry/output/origin.hpp"
#include "telemetry/process/account_names.hpp"

namespace telemetry {

class ContainerFiles;

/// What a formatter knows about the run besides the event.
struct FormatContext {
    std::string node;         ///< host name
    std::string tier;         ///< "raw_tp", ...
    std::string boot_id;      ///< /proc/sys/kernel/random/boot_id; may be empty
    ImageNamespaces first;    ///< the machine's: events say so of processes in others; 0: not known
    int64_t boot_time_ns = 0; ///< wall clock when the boot clock was 0, ns since the epoch; 0: not known
    Host host = {};
    Agent agent = {};
    std::shared_ptr<const AccountFiles> accounts = {}; ///< null: names of users are not known
    std::shared_ptr<ContainerFiles> containers = {};   ///< null: names of containers are not known
    FieldChoice fields = {};                           ///< of JSON
    unsigned (*columns)() = nullptr; ///< of the terminal; 0: it has none. Null: lines are as long as they are
    bool colour = false;             ///< of what is for a screen
};

/// Anything that is reported besides the engine's events and losses: a request to a metadata service,
/// a summary, the statistics, the result of a probe. It has two forms, and each format takes the one
/// that is nearer to its own.
class Document {
  public:
    virtual ~Document() = default;
    virtual std::string text() const = 0; ///< lines for people
    virtual std::string json() const = 0; ///< an object a line
    /// When it happened, ns since the epoch, if it is part of the stream of events; else 0.
    virtual uint64_t time_ns() const { return 0; }
};

/// Appends to a buffer: events and losses one line each, ended by '\n'; a format of audit records several
/// lines. An event costs no allocation beyond the buffer's growth. No raw control byte is ever inside a
/// line, but for the one that audit records have before their names.
class Formatter {
  public:
    virtual ~Formatter() = default;
    virtual void format(const Event& event, std::string& out) = 0;
    virtual void format(const LossEvent& loss, std::string& out) = 0;
    virtual void format(const Document& document, std::string& out) = 0;
    /// Formats that have no place for it leave it out.
    virtual void format_heartbeat(const Heartbeat& /*heartbeat*/, std::string& /*out*/) {}
    virtual void format_checkpoint(const Checkpoint& /*checkpoint*/, std::string& /*out*/) {}
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
// The registry of sinks. A new one is a file that defines its SinkKind, and a row in sinks.def.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/output/formats.hpp"
#include "telemetry/sink/sink.hpp"

namespace telemetry {

/// An option of the command line that comes with a sink.
struct SinkOption {
    const char* name;            ///< "output,o": the long name and, where there is one, the short one
    const char* help;            ///< what --help says of it
    const char* value = nullptr; ///< "FILE": it takes a value and may be given again; null: it takes none
};

/// The sinks' options that a command line has, by their long names, with the values given.
class SinkArguments {
  public:
    void add(std::string_view option, std::vector<std::string> values);
    bool has(std::string_view option) const { return values_.contains(option); }
    const std::vector<std::string>& values(std::string_view option) const;

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

/// What a sink may say of the machine and the run to where it sends.
struct SinkContext {
    std::string tags; ///< "scrubbed:true,version:0.1.0"
};

/// All that the rest of the program knows of a kind of sink.
struct SinkKind {
    std::string_view name;  ///< in reports and in the log: "syslog"
    std::string_view cause; ///< of its losses, in the stream of events: "output_syslog"
    std::span<const SinkOption> options;
    /// For each sink of this kind that is asked for, where it leads: a file's path, or nothing where
    /// there is only one. Throws ebpf_loader::Error(usage). Null: for each value of the first option;
    /// one sink if that takes no value.
    std::vector<std::string> (*targets)(const SinkArguments& arguments) = nullptr;
    /// Throws ebpf_loader::Error.
    std::unique_ptr<Sink> (*open)(const std::string& target, const SinkContext& context);

    const Format* own_format = nullptr; ///< it gets events alone, and in this format whatever --format says
    bool may_be_terminal = false;       ///< people may look at it: colours make sense
};

#define SINK(name) extern const SinkKind name##_sink;
#include "telemetry/sink/sinks.def"
#undef SINK

using SinkKinds = std::vector<const SinkKind*>;
/// The rows of sinks.def. A program may have others besides.
SinkKinds common_sinks();

/// A sink that was asked for.
struct Destination {
    const SinkKind* kind;
    std::string target;

    /// "file /var/log/events"
    std::string name() const;
};
/// Throws ebpf_loader::Error(usage).
std::vector<Destination> destinations(const SinkKinds& kinds, const SinkArguments& arguments);

} // namespace telemetry

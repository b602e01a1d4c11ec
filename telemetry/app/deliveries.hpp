// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/account/heartbeat.hpp"
#include "telemetry/account/losses.hpp"
#include "telemetry/delivery/output.hpp"
#include "telemetry/output/formats.hpp"

namespace telemetry {

/// The outputs that a file configures, each with its filter, format and thread. An event is formatted once
/// for all outputs of the same format, and not at all when none wants it.
class Deliveries {
  public:
    /// Opens them. Throws ebpf_loader::Error.
    explicit Deliveries(const std::vector<OutputSettings>& settings);

    bool empty() const { return groups_.empty(); }
    /// Each that an output has, once. Those of outputs that a reload took away stay.
    std::vector<const Format*> formats() const;
    /// What a reload needs to have change() make these the outputs: opens those that are new. May be called
    /// by another thread while none changes. Throws ebpf_loader::Error.
    NewOutputs prepare(const std::vector<OutputSettings>& settings) const;
    /// Outputs that stay as they are lose nothing by it; others see DeliveryOutput::change().
    void change(NewOutputs next, const FormatContext& context);
    /// To be called before the first event.
    void begin(const FormatContext& context);
    /// The host's name or clock was set. Losses keep their formatters, which number them.
    void renew(const FormatContext& context);

    /// `formatted` is the event as `format` has it; empty: nobody has formatted it. Returns the bytes of its
    /// lines, for all outputs.
    uint64_t put(const Event& event, const Format& format, std::string_view formatted);
    void put(const LossEvent& loss);
    /// And a checkpoint of each output behind it.
    void put(const Heartbeat& heartbeat);
    /// Lines in the format with this index, each an event of the extension with that name.
    void put_lines(size_t format, std::string_view extension, std::string_view lines);
    void hand_over();

    /// What was put is carried away, if that does not take too long. More may follow.
    void drain();
    /// The very end, with the last checkpoints. An output that lost every event counts as one that broke.
    void close();
    /// Opens the files anew. False when no output is a file.
    bool reopen();
    /// Logs each output that broke, once. False when none is left of those there were.
    bool usable();
    std::vector<OutputReport> reports() const;

  private:
    struct Member {
        std::unique_ptr<DeliveryOutput> output;
        std::unique_ptr<Formatter> events = nullptr; ///< null: that of all outputs of the format
        std::string name;                            ///< in the configuration
        std::string text;                            ///< of its section
        uint64_t lines = 0;                          ///< that it was given
        uint64_t checkpoints = 0;
        bool is_reported = false; ///< that it broke, or took nothing
        bool is_ended = false;    ///< a reload took it away

        bool wants(std::string_view key) const { return !is_ended && output->wants(key); }
    };
    /// Outputs of the same format.
    struct Group {
        const Format* format;
        std::unique_ptr<Formatter> events = nullptr, losses = nullptr;
        std::vector<Member> members = {};
        std::string text = {}, own_text = {};
    };

    Group& group_of(const Format& format);
    static void give_formatters(Group& group, const FormatContext& context);
    void retire(Group& group, Member& member);
    void put_checkpoint(Group& group, Member& member, uint64_t time_ns, bool is_last);
    void put_state(const std::function<void(Formatter&, std::string&)>& format);
    void put_checkpoints(uint64_t time_ns, bool is_last);
    static void put_line(Member& member, std::string_view text, bool is_vital, bool is_event);

    std::vector<Group> groups_;
};

} // namespace telemetry

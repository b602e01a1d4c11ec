// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "telemetry/base/arena.hpp"
#include "telemetry/event/environment.hpp"
#include "telemetry/event/record.hpp"

namespace telemetry {

/// Of an ebt_status; what is none is unavailable.
Status status_of(uint8_t status);

/// Turns record bytes into events. Whatever the bytes, it reads nothing outside of
/// them, does not throw and, once built, does not allocate. Not thread-safe.
class Decoder {
  public:
    Decoder();

    /// False: the record is unreadable and `out` means nothing. A record with damaged
    /// fields still gives an event, with lost_fields set. The event's views are valid
    /// while the record is, and until the next call.
    bool decode(std::span<const std::byte> record, Event& out) noexcept;

    /// ns to add to a record's time to get wall-clock time.
    void set_wall_clock_offset(int64_t offset) noexcept { wall_clock_offset_ = offset; }
    /// The clock was set: records of before that time keep the offset that they had.
    void step_wall_clock(int64_t offset, uint64_t record_time) noexcept {
        offset_before_step_ = wall_clock_offset_;
        stepped_at_ = record_time;
        wall_clock_offset_ = offset;
    }

    /// Which variables images get of their environments, where records have these.
    void select_environment(EnvironmentNames names) { environment_names_ = std::move(names); }

    /// How often something was wrong.
    uint64_t defects(Defect defect) const { return defects_[static_cast<size_t>(defect)]; }
    /// Records that gave no event.
    uint64_t refused() const;

    /// Fields whose memory was not there to be read.
    uint64_t faults() const { return faults_; }

  private:
    /// Fields that wait until the whole record is read, by argument; kind 0: no field.
    using ByArgument = std::array<RawField, EBT_ARGS + 1>;

    void note(Defect defect, Event& out) noexcept;
    void read_fields(std::span<const std::byte> fields, uint16_t count, Event& out) noexcept;
    void read_field(const RawField& field, Event& out) noexcept;
    void keep(ByArgument& fields, const RawField& field, Event& out) noexcept;
    void read_text(const RawField& field, Text& out, Event& event) noexcept;
    void read_list(const RawField& field, StringList& out, Event& event) noexcept;
    void read_directory(const RawField& field, const InodeInfo* inode, Text& out, Event& event) noexcept;
    void read_base(uint8_t argument, Text& out, Event& event) noexcept;
    bool take_inode(RawField& field, InodeInfo& out, Event& event) noexcept;
    void put_below_cwd(const Text& cwd, bool is_below, Text& path) noexcept;
    void read_file(const RawField& field, PathField& out, Event& event) noexcept;
    void read_sockaddr(const RawField& field, Event& out) noexcept;
    void add_messages(Event& out) noexcept;
    void settle_families(Event& out) noexcept;
    void take_family(Text& address, uint16_t family) noexcept;
    void read_unix_name(const RawField& field, Event& out) noexcept;
    void read_control(const RawField& field, Event& out) noexcept;
    void begin_passed(Event& out) noexcept;
    void add_passed(std::string_view content) noexcept;
    void settle_passed(Event& out) noexcept;
    void read_socket(const RawField& field, Event& out) noexcept;
    void read_user_stack(const RawField& field, Event& out) noexcept;
    void read_transfer(const RawField& field, Event& out) noexcept;
    void read_namespaces(const RawField& field, Event& out) noexcept;
    void read_capabilities(const RawField& field, Event& out) noexcept;
    void find_script(Event& out) noexcept;
    void keep_script(Event& out) noexcept;
    void read_exe_version(const RawField& field, Event& out) noexcept;
    void read_cgroup(const RawField& field, Event& out) noexcept;
    void read_environment(const RawField& field, Event& out) noexcept;
    void read_child(const RawField& field, Event& out) noexcept;
    void keep_witness(const RawField& field, Event& out) noexcept;
    void read_address(const RawField& field, Event& out) noexcept;

    void apply_witnesses(Event& out) noexcept;
    void apply_witness(uint8_t argument, const RawField& field, Event& out) noexcept;
    void note_creation(Event& out) noexcept;

    void resolve_arguments(Event& out) noexcept;
    void resolve_argument(uint8_t argument, const RawField& file, Event& out) noexcept;
    void add_file(uint8_t argument, const RawField& file, Event& out) noexcept;
    void add_named_path(uint8_t argument, Event& out) noexcept;
    void name_descriptor(uint8_t argument, PathField& path, Event& out) noexcept;
    void adopt_new_directory(Event& out) noexcept;
    bool add_structure(uint8_t argument, Event& out) noexcept;
    void add_string(uint8_t argument, Event& out) noexcept;
    void join(const Text& base, PathField& path) noexcept;
    void rewrite_paths(Event& out) noexcept;
    void mark_shared(Event& out) noexcept;
    bool may_be_scoped(const Event& out, const PathField& path) const noexcept;
    void rewrite_path(uint8_t index, Event& out) noexcept;
    PathField* new_path(uint8_t argument, Event& out) noexcept;

    Arena arena_;
    int64_t wall_clock_offset_ = 0, offset_before_step_ = 0;
    uint64_t stepped_at_ = 0;
    std::array<uint64_t, defect_count> defects_{};
    uint64_t faults_ = 0;
    ByArgument files_, strings_, directories_;
    std::array<RawField, 2> witnesses_; ///< the call's first path, and its second
    RawField exec_name_;
    bool has_witness_ = false;
    bool has_witnessed_address_ = false;
    std::array<Text, EBT_ADDRESSES> messages_; ///< addresses of one message each, in user memory
    size_t message_count_ = 0;
    EnvironmentNames environment_names_;
    EnvironmentNames::Buffer environment_; ///< what was kept of the last
    PassedDescriptors passed_;
    Witnessed witnessed_; ///< of the event, if it has any
};

/// What a successful exec executed is the call's path: gives it to an event that has
/// an image and no path of its own.
void adopt_exec_path(Event& event) noexcept;
/// The argument that names what an exec executes; EBT_ARG_NONE of a process event.
uint8_t argument_of_exec(const Event& event);

} // namespace telemetry

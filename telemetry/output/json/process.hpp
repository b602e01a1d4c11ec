// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <memory>
#include <string>

#include "telemetry/event/event.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/output/fragment_cache.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/process/account_names.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry {

/// An object with the id and the name of a user or a group.
struct JsonAccount {
    std::string_view key;
    Field object, id, name;
};

/// The objects `process` and `user` of the Elastic Common Schema: who did it, for whom, and
/// whom it descends from. Each begins with a comma. What one event after the other has the same is
/// rendered once.
class JsonProcess {
  public:
    explicit JsonProcess(const FormatContext& context);

    /// The object stays open for further members when `closes` is false.
    void put(JsonLine& line, const Event& event, bool closes = true);
    void put_user(JsonLine& line, const Event& event);
    /// Mode, owner and type of a file, as members of its object, with the names of owner and group where
    /// they are known. After put().
    void put_attributes(JsonLine& line, const Event& event, const InodeInfo& inode);

    /// The same for every event of a process, and for no other process: from the boot,
    /// the process id, and when it began.
    void put_entity(JsonLine& line, uint32_t pid, uint64_t start_time_ns);
    /// `"id":"0","name":"root"`, without the name where it is not known.
    void put_user_name(JsonLine& line, uint32_t uid);
    void put_group_name(JsonLine& line, uint32_t gid);

  private:
    /// All that identifies a process.
    struct Identity {
        uint32_t pid = 0;
        uint32_t missing = 0;
        uint64_t start_time_ns = 0;
        bool has_start = false; ///< the field is wanted
        bool operator==(const Identity&) const = default;
    };
    /// Whom a process acts for.
    struct Who {
        ProcessIds ids;
        bool is_contained = false; ///< the machine's names are not the container's
        uint64_t names = 0;        ///< generation
        bool operator==(const Who&) const = default;
    };
    /// The stamps of all that the descent is made of.
    struct Descent {
        std::array<uint64_t, 5> stamps{};
        uint32_t ppid = 0;
        uint64_t names = 0;
        bool operator==(const Descent&) const = default;
    };
    /// The image that a list of arguments belongs to: of a process in one of its states.
    struct Arguments {
        uint64_t stamp = 0;
        size_t length = 0;
        Status status = Status::absent;
        bool operator==(const Arguments&) const = default;
    };
    /// What many files have the same.
    struct Attributes {
        uint32_t device = 0, mode = 0, uid = 0, gid = 0;
        bool is_contained = false;
        bool is_first = false; ///< in its object
        uint64_t names = 0;
        const FieldSet* fields = nullptr;
        bool operator==(const Attributes&) const = default;
    };
    using Node = std::shared_ptr<const LineageNode>;

    Who who_of(const Event& event) const;
    void render_identity(JsonLine& line, const Identity& identity);
    void put_start(JsonLine& line, uint64_t start_time_ns);
    void put_arguments(JsonLine& line, const Event& event);
    void put_environment(JsonLine& line, const Event& event);
    void put_capabilities(JsonLine& line, const Event& event);
    void put_descent(JsonLine& line, const Event& event);
    void render_descent(JsonLine& line, const Event& event, const std::array<Node, 3>& leaders);
    struct RelativeFields;
    void put_thread(JsonLine& line, const Event& event);
    void put_image(JsonLine& line, const Event& event);
    void put_relative(JsonLine& line, const RelativeFields& fields, const LineageNode& node,
                      bool has_executable);
    void put_user_of(JsonLine& line, const JsonAccount& fields, uint32_t uid);
    void put_group_of(JsonLine& line, const JsonAccount& fields, uint32_t gid);
    std::string_view user_name(uint32_t uid) const; ///< empty: not known, or not to be shown
    std::string_view group_name(uint32_t gid) const;
    void put_parent(JsonLine& line, const LineageNode& node);
    void render_users(JsonLine& line, const Who& who);
    void put_owner(JsonLine& line, const InodeInfo& inode);
    void put_end_of_process(JsonLine& line, const Event& event);

    std::string entity_; ///< the start of every entity id, from the boot's
    int64_t boot_time_ns_;
    CurrentNames names_;
    bool shows_names_ = true; ///< of what is rendered now
    Timestamp start_;
    Timestamp end_;
    FragmentCache<Identity, 256> identities_;
    FragmentCache<Who, 64> users_;
    FragmentCache<Who, 64> process_users_;
    FragmentCache<Capabilities, 64> capabilities_;
    FragmentCache<Arguments, 256> arguments_;
    FragmentCache<Descent, 256> descents_;
    FragmentCache<Attributes, 64> attributes_;
};

} // namespace telemetry

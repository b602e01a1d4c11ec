// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <string>

#include "telemetry/event/event.hpp"
#include "telemetry/output/address.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/output/fragment_cache.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {

/// The objects of the Elastic Common Schema for who did what to what: `process`,
/// `user`, `file`, `source`, `destination`, `network`. Each begins with a comma.
class JsonEcs {
  public:
    explicit JsonEcs(const FormatContext& context);

    void put_process(JsonLine& line, const Event& event);
    void put_user(JsonLine& line, const Event& event);
    void put_file(JsonLine& line, const Event& event);
    void put_network(JsonLine& line, const Event& event, const Ends& ends, SocketRole role);
    /// The same for every event of a process, and for no other process: from the boot,
    /// the process id, and when it began.
    void put_entity(JsonLine& line, uint32_t pid, uint64_t start_time_ns);

    /// linux.process.executable
    void put_executable(JsonLine& line, const InodeInfo& inode);

  private:
    /// All that identifies a process.
    struct Identity {
        uint32_t pid = 0;
        uint32_t tid = 0;
        uint32_t ppid = 0;
        uint32_t missing = 0;
        uint64_t start_time_ns = 0;
        bool operator==(const Identity&) const = default;
    };
    /// Whom a process acts for.
    struct Who {
        std::array<uint32_t, 8> ids{}; ///< uid, gid of: real, effective, saved, file system
        uint32_t auid = 0;
        uint32_t missing = 0;
        bool operator==(const Who&) const = default;
    };

    void render_identity(JsonLine& line, const Identity& identity);
    static void render_user(JsonLine& line, const Who& who);
    void put_end_of_process(JsonLine& line, const Event& event);

    std::string entity_; ///< the start of every entity id
    int64_t boot_time_ns_;
    Timestamp start_;
    Timestamp end_;
    FragmentCache<Identity, 256> identities_;
    FragmentCache<Who, 64> users_;
    FragmentCache<InodeInfo, 256> executables_;
};

/// inode, mode, uid, gid and type: members of the object of a file.
void put_json_inode(JsonLine& line, const InodeInfo& inode);
/// A JSON array of a list's strings.
void put_json_strings(JsonLine& line, const FieldName& name, const StringList& list);

} // namespace telemetry

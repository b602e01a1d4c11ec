// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <string>

#include "address.hpp"
#include "event.hpp"
#include "formatter.hpp"
#include "json_line.hpp"

namespace telemetry {

/// The objects of the Elastic Common Schema that tell who did what to what: `process`,
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

  private:
    /// Whom a process acts for: enough to know whether `user` is the same as last time.
    struct Who {
        std::array<uint32_t, 8> ids{}; ///< uid, gid of: real, effective, saved, file system
        uint32_t auid = 0;
        uint32_t missing = EBT_MISSING_CREDENTIALS | EBT_MISSING_AUDIT;
        bool operator==(const Who&) const = default;
    };

    void put_start(JsonLine& line, const Event& event);
    void put_end_of_process(JsonLine& line, const Event& event);
    void render_user(JsonLine& line, const Who& who);

    std::string entity_; ///< the start of every entity id
    int64_t boot_time_ns_;
    Timestamp start_;
    Timestamp end_;
    Who who_;
    std::string user_; ///< the object `user` for who_
};

/// inode, mode, uid, gid and type: members of an object that tells of a file.
void put_json_inode(JsonLine& line, const InodeInfo& inode);
/// A JSON array of a list's strings.
void put_json_strings(JsonLine& line, const FieldName& name, const StringList& list);

} // namespace telemetry

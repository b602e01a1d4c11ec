// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/process/entry.hpp"
#include "telemetry/process/facts.hpp"
#include "telemetry/process/procfs.hpp"
#include "telemetry/process/table.hpp"

namespace telemetry {

/// What a process executes; shared with the children that it forks.
struct ExecutedProgram {
    std::string executable; ///< empty: not known
    std::string argv;       ///< strings, each ended by NUL: as many as fit whole
    uint32_t args = 0;      ///< how many it was started with, as far as is known
    bool argv_is_cut = false;
};

/// A process and its descent. It is kept for as long as a descendant, or anybody else, refers to it.
class LineageNode {
  public:
    ~LineageNode();
    /// The executable's name; where that is not known, the thread's.
    std::string_view name() const;

    ProcessKey key;         ///< start_time_ns is coarse unless has_start
    bool has_start = false; ///< the start time is the kernel's
    bool has_ended = false;
    bool has_exec_id = false;
    uint32_t exec_id = 0;
    std::string comm;
    std::shared_ptr<const ExecutedProgram> program; ///< null: not known
    bool has_ids = false;
    ProcessIds ids;
    ProcessFacts facts;
    std::shared_ptr<LineageNode> parent; ///< who forked it, whether it lives or not

    std::string working_directory; ///< empty: not known, or longer than 255 bytes
    bool has_terminal = false;
    uint32_t session = 0, group = 0; ///< ids, as the first PID namespace counts; 0: not known
    std::weak_ptr<const LineageNode> session_leader, group_leader; ///< it may be one itself
    std::weak_ptr<const LineageNode> entry_leader; ///< the nearest process of its line that came in by itself
    EntryType entry_type = EntryType::unknown;
    /// Another one after each change of what stands above; no two nodes ever have the same.
    uint64_t stamp = 0;

  private:
    friend class Lineage;
    uint64_t start_ticks_ = 0;
};

/// The family tree of processes, with the ancestors that have ended. It is made of the events, in
/// order; what ran before is read from /proc. Memory is bounded.
class Lineage {
  public:
    struct Limits {
        size_t processes = 65536;
        size_t ended = 32768;              ///< processes that are kept for their descendants
        uint64_t grace_ns = 5'000'000'000; ///< how long an ended process is found by its id
        size_t program_bytes =
            32u << 20; ///< of argument lists: beyond, of new ones only the beginning is kept
    };
    struct Counters {
        uint64_t forgotten = 0; ///< living processes, for lack of room
        uint64_t cut = 0;       ///< lines of descent, for lack of room
    };

    explicit Lineage(const std::string& proc_root) : Lineage(proc_root, Limits{}) {}
    Lineage(const std::string& proc_root, const Limits& limits);

    /// Reads which processes run now.
    void remember_running();

    /// Any event, with its image: the process of a system call, the fork of a child, an exec, an end.
    /// Returns the process, which stays until the next call; null: the event does not say which.
    const LineageNode* note(const Event& event);

    /// The process of the event. Facts that are not known are read from /proc.
    std::shared_ptr<const LineageNode> find(const Event& event);

    /// The ancestors, nearest first, at most `most`.
    static std::vector<std::shared_ptr<const LineageNode>>
    ancestors(const std::shared_ptr<const LineageNode>& node, size_t most);

    const Counters& counters() const { return counters_; }
    size_t size() const { return living_.size(); }

  private:
    using Node = std::shared_ptr<LineageNode>;

    Node node_of(const Event& event);
    Node add(uint32_t pid);
    Node known(uint32_t pid) const;
    bool is_same(const LineageNode& node, const Event& event) const;
    void update(LineageNode& node, const Event& event);
    void update_program(LineageNode& node, const Event& event);
    void follow_session(const Node& node, const Event& event);
    void lead_session(const Node& node);
    void join_group(const Node& node, uint32_t group);
    void read_session(const Node& node);
    void add_child(const Event& event, const Node& parent);
    std::shared_ptr<const ExecutedProgram> program_of(const Image& image);
    void read_facts(LineageNode& node);
    void follow_cgroup(LineageNode& node, const Event& event);
    void end(const Node& node, uint64_t time_ns);
    void expire(uint64_t now_ns);
    void expire_first();
    void bound_ended();

    struct Ended {
        uint64_t time_ns;
        uint32_t pid;
        std::weak_ptr<LineageNode> node;
    };

    Limits limits_;
    std::shared_ptr<size_t> program_bytes_ = std::make_shared<size_t>(0); ///< outlived by no program
    uint64_t stamps_ = 0;
    Node noted_; ///< the process of the last event
    Procfs procfs_;
    bool has_controllers_;                      ///< the machine has cgroups of version 1
    std::unordered_map<uint32_t, Node> living_; ///< by process id; ended ones for a while
    std::deque<Ended> to_expire_;
    std::deque<std::weak_ptr<LineageNode>> ended_;
    size_t ended_threshold_ = 1024; ///< size of ended_ at which it is swept
    Counters counters_;
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/process/lineage.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/event/facts.hpp"

namespace telemetry {
namespace {

constexpr size_t longest_argv = 4096, longest_argv_when_full = 256;
constexpr size_t longest_directory = 255;
constexpr size_t longest_cgroups = 4096;

template <class Member, class Value> bool replace(Member& member, const Value& value) {
    if (member == value)
        return false;
    member = value;
    return true;
}

uint32_t id_of(int64_t number) {
    return number > 0 ? static_cast<uint32_t>(number) : 0;
}

const ebpf_loader::SyscallRow* call_named(std::string_view name) {
    const auto rows = ebpf_loader::syscall_rows();
    const auto row = std::ranges::find(rows, name, &ebpf_loader::SyscallRow::name);
    return row == rows.end() ? nullptr : &*row;
}

} // namespace

std::string_view LineageNode::name() const {
    const std::string_view path = program ? std::string_view(program->executable) : "";
    return path.empty() ? std::string_view(comm) : base_name(path);
}

/// A long line of descent must not end in as deep a recursion.
LineageNode::~LineageNode() {
    std::shared_ptr<LineageNode> next = std::move(parent);
    while (next && next.use_count() == 1)
        next = std::exchange(next->parent, nullptr);
}

Lineage::Lineage(const std::string& proc_root, const Limits& limits)
    : limits_(limits), procfs_(proc_root),
      has_controllers_(names_controllers(procfs_.file("self", "cgroup", longest_cgroups).value_or(""))) {}

void Lineage::remember_running() {
    std::unordered_map<uint32_t, uint32_t> parents;
    std::vector<std::pair<Node, ProcessStat>> added;
    for (const uint32_t pid : procfs_.processes()) {
        const auto stat = procfs_.stat(pid);
        if (!stat || known(pid)) // the events know better
            continue;
        const Node node = add(pid);
        node->start_ticks_ = stat->start_ticks;
        node->key.start_time_ns = procfs_.nanoseconds(stat->start_ticks);
        node->has_terminal = stat->tty != 0;
        added.emplace_back(node, *stat);
        parents[pid] = stat->ppid;
        if (const auto* process = procfs_.read(pid)) {
            node->comm = process->comm;
            node->program = program_of(process->image);
        }
        if (const auto ids = procfs_.ids(pid)) {
            node->ids = *ids;
            node->has_ids = true;
        }
        read_facts(*node);
    }
    for (const auto& [pid, ppid] : parents)
        if (const Node node = known(pid); node && ppid != pid)
            node->parent = known(ppid);
    // Parents before their children, whose entry leader is their parent's.
    std::ranges::sort(added, {}, [](const auto& one) { return one.second.start_ticks; });
    for (const auto& [node, stat] : added) {
        node->session = id_of(stat.session);
        node->session_leader = known(node->session);
        join_group(node, id_of(stat.group));
        find_entry(node);
    }
}

const LineageNode* Lineage::note(const Event& event) {
    expire(event.time_ns);
    noted_.reset();
    if (event.missing & EBT_MISSING_START_TIME)
        return nullptr; // without it the process is not known
    noted_ = node_of(event);
    update(*noted_, event);
    if (event.kind == EBT_FORK)
        add_child(event, noted_);
    else if (event.kind == EBT_EXIT)
        end(noted_, event.time_ns);
    else
        follow_session(noted_, event);
    return noted_.get();
}

/// A session and a process group are led by the process whose id is theirs.
void Lineage::follow_session(const Node& node, const Event& event) {
    static const auto *const setsid = call_named("setsid"), *const setpgid = call_named("setpgid");
    if (has_new_image(event)) {
        find_entry(node);
    } else if (event.call && event.call == setsid && event.success()) {
        lead_session(node);
    } else if (event.call && event.call == setpgid && event.success()) {
        // The caller's ids are those of its PID namespace: of another process /proc knows ours.
        const auto target = static_cast<uint32_t>(event.args[0]);
        const Node other = target == 0 || target == event.pid ? node : known(target);
        if (other)
            read_session(other);
    }
}

void Lineage::lead_session(const Node& node) {
    node->session = node->key.pid;
    node->session_leader = node;
    join_group(node, node->key.pid);
    find_entry(node);
}

void Lineage::join_group(const Node& node, uint32_t group) {
    node->group = group;
    node->group_leader = known(group);
    node->stamp = ++stamps_;
}

void Lineage::read_session(const Node& node) {
    const auto stat = procfs_.stat(node->key.pid);
    if (!stat || stat->start_ticks != node->start_ticks_)
        return;
    node->session = id_of(stat->session);
    node->session_leader = known(node->session);
    join_group(node, id_of(stat->group));
}

std::shared_ptr<const ExecutedProgram> Lineage::program_of(const Image& image) {
    if (!image.exe.known() && !image.argv.known())
        return nullptr;
    const auto forget = [meter = program_bytes_](const ExecutedProgram* program) {
        *meter -= program->argv.size();
        delete program;
    };
    const std::shared_ptr<ExecutedProgram> program(new ExecutedProgram, forget);
    if (image.exe.known())
        program->executable = image.exe.bytes;
    if (image.argv.known()) {
        const bool is_full = *program_bytes_ >= limits_.program_bytes;
        program->argv = whole_strings(image.argv.bytes, is_full ? longest_argv_when_full : longest_argv);
        program->args = count_strings(image.argv.bytes);
        *program_bytes_ += program->argv.size();
    }
    program->argv_is_cut =
        image.argv.status == Status::truncated || program->argv.size() < image.argv.bytes.size();
    return program;
}

std::shared_ptr<const LineageNode> Lineage::find(const Event& event) {
    if (event.missing & EBT_MISSING_START_TIME)
        return nullptr;
    const Node node = node_of(event);
    update(*node, event);
    if (!node->facts.capabilities || node->facts.inherited)
        read_facts(*node);
    return node;
}

std::vector<std::shared_ptr<const LineageNode>>
Lineage::ancestors(const std::shared_ptr<const LineageNode>& node, size_t most) {
    std::vector<std::shared_ptr<const LineageNode>> line;
    for (std::shared_ptr<const LineageNode> next = node ? node->parent : nullptr; next && line.size() < most;
         next = next->parent) {
        // What /proc says need not agree: a process would be its own ancestor.
        if (next == node || std::ranges::find(line, next) != line.end())
            break;
        line.push_back(next);
    }
    return line;
}

Lineage::Node Lineage::known(uint32_t pid) const {
    const auto found = living_.find(pid);
    return found == living_.end() ? nullptr : found->second;
}

/// The new process replaces the one that had the id before.
Lineage::Node Lineage::add(uint32_t pid) {
    if (!living_.contains(pid)) {
        while (living_.size() >= limits_.processes && !to_expire_.empty())
            expire_first();
        if (living_.size() >= limits_.processes) {
            living_.erase(living_.begin());
            ++counters_.forgotten;
        }
    }
    Node node = std::make_shared<LineageNode>();
    node->key.pid = pid;
    living_[pid] = node;
    return node;
}

bool Lineage::is_same(const LineageNode& node, const Event& event) const {
    if (node.has_start)
        return node.key.start_time_ns == event.start_time_ns;
    return node.start_ticks_ == procfs_.ticks(event.start_time_ns);
}

Lineage::Node Lineage::node_of(const Event& event) {
    Node node = known(event.pid);
    if (!node || !is_same(*node, event)) {
        node = add(event.pid);
        if (!(event.missing & EBT_MISSING_PPID) && event.ppid != event.pid)
            node->parent = known(event.ppid);
        node->start_ticks_ = procfs_.ticks(event.start_time_ns);
        read_session(node);
        find_entry(node);
    }
    if (!node->has_start) {
        node->key.start_time_ns = event.start_time_ns;
        node->start_ticks_ = procfs_.ticks(event.start_time_ns);
        node->has_start = true;
        node->stamp = ++stamps_;
    }
    return node;
}

void Lineage::update(LineageNode& node, const Event& event) {
    update_program(node, event);
    bool changes = false;
    if (!(event.missing & EBT_MISSING_CREDENTIALS)) {
        const ProcessIds ids = {event.uid,  event.gid,  event.euid,  event.egid,
                                event.suid, event.sgid, event.fsuid, event.fsgid};
        changes |= replace(node.ids, ids) || !node.has_ids;
        node.has_ids = true;
    }
    if (event.cwd.status == Status::ok && event.cwd.bytes.size() <= longest_directory)
        changes |= replace(node.working_directory, event.cwd.bytes);
    else if (event.cwd.status != Status::absent)
        changes |= replace(node.working_directory, "");
    if (event.image.exe.known())
        changes |= replace(node.has_terminal, event.image.tty.known());
    if (changes)
        node.stamp = ++stamps_;
}

void Lineage::update_program(LineageNode& node, const Event& event) {
    const bool is_new_image = has_new_image(event) || !node.has_exec_id || node.exec_id != event.exec_id;
    bool changes = is_new_image;
    if (is_new_image || !node.program)
        if (auto program = program_of(event.image)) {
            node.program = std::move(program);
            changes = true;
        }
    if (is_new_image || event.tid == event.pid) // threads may have names of their own
        changes |= replace(node.comm, event.comm);
    if (!(event.missing & EBT_MISSING_EXEC_ID)) {
        node.exec_id = event.exec_id;
        node.has_exec_id = true;
    }
    // A container's first process was forked outside of it: the exec is when to look again.
    if (has_new_image(event) || event.cgroup.known())
        follow_cgroup(node, event);
    if (has_new_image(event))
        node.facts.inherited = true; // an exec changes capabilities
    if (changes)
        node.stamp = ++stamps_;
}

/// What the kernel says holds of a process that is gone by now, too. Which hierarchy of several is the one
/// that matters, /proc knows better, unless one is a container's.
void Lineage::follow_cgroup(LineageNode& node, const Event& event) {
    const auto is_container = [](const Text& path) {
        return path.known() && !container_of(path.bytes).id.empty();
    };
    const Text& path = is_container(event.cgroup) || !event.controller_cgroup.known()
                           ? event.cgroup
                           : event.controller_cgroup;
    const bool is_whole = path.status == Status::ok;
    // Further up may be the container that it had before.
    const bool is_cut =
        event.cgroup.status == Status::truncated || event.controller_cgroup.status == Status::truncated;
    if (is_whole && (is_container(path) || (!is_cut && !has_controllers_)))
        return node.facts.set_cgroup(path.bytes);
    if (!event.carries_image && !node.facts.cgroup.empty())
        return;
    if (const auto now = procfs_.cgroup(event.pid, node.start_ticks_))
        node.facts.set_cgroup(*now);
    else if (is_container(path) || (is_whole && !is_cut && path.bytes != "/"))
        node.facts.set_cgroup(path.bytes);
}

void Lineage::add_child(const Event& event, const Node& parent) {
    if (event.child_status != Status::ok || event.child_pid == 0)
        return;
    const ProcessKey key{event.child_pid, event.child_start_time_ns};
    Node child = known(event.child_pid);
    if (!child || !child->has_start || child->key.start_time_ns != key.start_time_ns) {
        const bool is_from_proc =
            child && !child->has_start && child->start_ticks_ == procfs_.ticks(key.start_time_ns);
        child = is_from_proc ? child : add(event.child_pid);
        child->key = key;
        child->has_start = true;
        child->start_ticks_ = procfs_.ticks(key.start_time_ns);
        if (!child->program) {
            child->comm = parent->comm;
            child->program = parent->program;
            child->exec_id = parent->exec_id;
            child->has_exec_id = parent->has_exec_id;
            child->ids = parent->ids;
            child->has_ids = parent->has_ids;
            child->facts = parent->facts;
            child->facts.inherited = true;
        }
        child->working_directory = parent->working_directory;
        child->has_terminal = parent->has_terminal;
        child->session = parent->session;
        child->session_leader = parent->session_leader;
        child->group = parent->group;
        child->group_leader = parent->group_leader;
    }
    if (child == parent)
        return;
    child->parent = parent;
    find_entry(child);
    child->stamp = ++stamps_;
}

void Lineage::read_facts(LineageNode& node) {
    if (node.has_ended)
        return;
    if (auto facts = procfs_.facts(node.key.pid, node.start_ticks_))
        node.facts = std::move(*facts);
}

/// The process is found by its id for a while, since records of several CPUs may come out of order.
void Lineage::end(const Node& node, uint64_t time_ns) {
    if (std::exchange(node->has_ended, true))
        return;
    to_expire_.push_back({time_ns, node->key.pid, node});
    ended_.push_back(node);
    if (ended_.size() > ended_threshold_)
        bound_ended();
}

void Lineage::expire(uint64_t now_ns) {
    while (!to_expire_.empty() && to_expire_.front().time_ns + limits_.grace_ns < now_ns)
        expire_first();
}

void Lineage::expire_first() {
    const Ended& first = to_expire_.front();
    const auto found = living_.find(first.pid);
    if (found != living_.end() && found->second == first.node.lock())
        living_.erase(found);
    to_expire_.pop_front();
}

/// Drops the entries of nodes that are no longer referred to, and then cuts the lines of descent of
/// the oldest.
void Lineage::bound_ended() {
    std::erase_if(ended_, [](const auto& node) { return node.expired(); });
    while (ended_.size() > limits_.ended) {
        if (const Node node = ended_.front().lock()) {
            node->parent.reset();
            ++counters_.cut;
        }
        ended_.pop_front();
    }
    ended_threshold_ = std::max<size_t>(1024, 2 * ended_.size());
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "test/kernel/normalised.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "test/kernel/fields.hpp"

namespace kernel_test {

namespace {

using ebpf_loader::ArgKind;
using ebpf_loader::ReturnKind;

/// Gives values names in the order in which they come.
class Names {
  public:
    explicit Names(std::string prefix) : prefix_(std::move(prefix)) {}
    std::string operator()(const std::string& value) {
        return prefix_ + std::to_string(numbers_.try_emplace(value, numbers_.size() + 1).first->second);
    }

  private:
    std::string prefix_;
    std::map<std::string, size_t> numbers_;
};

class Normaliser {
  public:
    explicit Normaliser(const CaseRun& run);
    std::vector<Fields> take() { return std::move(events_); }

  private:
    void normalise(const telemetry::Event& event, Fields& fields);
    std::string argument(const telemetry::Event& event, size_t index, const std::string& value);
    std::string returned(const telemetry::Event& event, const std::string& value);
    std::string path(std::string bytes);
    std::string address(std::string bytes);

    Names pids_{"process "}, descriptors_{"descriptor "}, inodes_{"inode "}, devices_{"device "},
        ports_{"port "};
    std::map<std::string, std::string> known_pids_;
    std::vector<Fields> events_;
};

/// Threads one after the other: they may run at once.
Normaliser::Normaliser(const CaseRun& run) {
    std::vector<std::pair<uint32_t, uint32_t>> threads;
    std::vector<const telemetry::Event*> events;
    for (const OwnedEvent* event : run.events)
        events.push_back(&**event);
    std::stable_sort(events.begin(), events.end(),
                     [](const auto* a, const auto* b) { return a->time_ns < b->time_ns; });
    for (const telemetry::Event* event : events) {
        const std::pair thread(event->pid, event->tid);
        if (std::find(threads.begin(), threads.end(), thread) == threads.end())
            threads.push_back(thread);
        for (const uint32_t pid : {event->ppid, event->pid, event->tid})
            known_pids_.try_emplace(std::to_string(pid), pids_(std::to_string(pid)));
    }
    for (const auto& [pid, tid] : threads)
        for (const telemetry::Event* event : events)
            if (event->pid == pid && event->tid == tid) {
                Fields fields = describe(*event);
                normalise(*event, fields);
                events_.push_back(std::move(fields));
            }
}

bool is_pointer(ArgKind kind) {
    switch (kind) {
    case ArgKind::pointer:
    case ArgKind::string:
    case ArgKind::sockaddr:
    case ArgKind::sockaddr_out:
    case ArgKind::msghdr:
    case ArgKind::msghdr_out:
    case ArgKind::argv:
    case ArgKind::envp:
    case ArgKind::address:
    case ArgKind::structure:
    case ArgKind::bytes:
    case ArgKind::written:
        return true;
    default:
        return ebpf_loader::is_path(kind);
    }
}

bool is_descriptor(ArgKind kind) {
    return kind == ArgKind::fd || kind == ArgKind::fd_socket || kind == ArgKind::fd_number ||
           kind == ArgKind::dirfd;
}

/// An address of the process's own, as against one that a test made up.
bool is_address(uint64_t value) {
    constexpr int bits = EBT_NATIVE_ABI == EBT_AARCH64 ? 48 : 47;
    return value > 0x10000 && value < uint64_t{1} << bits;
}

std::string Normaliser::argument(const telemetry::Event& event, size_t index, const std::string& value) {
    if (!event.call || !event.returns)
        return event.kind == EBT_SYSCALL && !event.returns ? "of no use" : value;
    if (index > 0 && event.call->name == "clone" && (event.args[0] & CLONE_VFORK))
        return "of no use";             // libc's vfork again, where there is no such call
    if (index >= event.call->arguments) // i386 has whatever was in the register, and so has libc's vfork
        return event.abi == EBT_NATIVE_ABI && event.call->name != "vfork" ? value : "of no use";
    const ArgKind kind = event.call->argument[index].kind;
    if (is_descriptor(kind))
        return descriptors_(std::to_string(static_cast<int32_t>(event.args[index])));
    const std::string decimal = std::to_string(event.args[index]);
    if (const auto pid = known_pids_.find(decimal); kind == ArgKind::pid && pid != known_pids_.end())
        return pid->second;
    // ioctl, prctl and their like take a number or an address.
    const bool may_be = is_pointer(kind) || kind == ArgKind::number;
    return may_be && is_address(event.args[index]) ? "address" : value;
}

std::string Normaliser::returned(const telemetry::Event& event, const std::string& value) {
    if (event.ret <= 0 || !event.returns || event.kind == EBT_EXIT) // a wait status may look like a pid
        return value;
    if (const auto pid = known_pids_.find(value); pid != known_pids_.end())
        return pid->second;
    if (event.call && event.call->returns == ReturnKind::pid)
        return pids_(value);
    const ReturnKind kind = event.call ? event.call->returns : ReturnKind::number;
    const bool is_map = event.call && event.call->name == "bpf"; // which may return anything
    if (kind == ReturnKind::file || kind == ReturnKind::socket || kind == ReturnKind::fd_number || is_map)
        return descriptors_(value);
    return kind == ReturnKind::pointer ? "address" : value;
}

/// "socket:[1234]" and "/proc/1234/status".
std::string Normaliser::path(std::string bytes) {
    const size_t bracket = bytes.find(":[");
    if (bracket != bytes.npos && bytes.ends_with(']'))
        return bytes.substr(0, bracket) + inodes_(bytes.substr(bracket + 2, bytes.size() - bracket - 3));
    for (const auto& [pid, name] : known_pids_) {
        const std::string folder = "/proc/" + pid + "/";
        if (bytes.starts_with(folder))
            return "/proc/" + name + "/" + bytes.substr(folder.size());
    }
    return bytes;
}

/// Ports that the kernel chose are above those of the tests.
bool is_ephemeral(unsigned port) {
    return port >= 10000;
}

std::string Normaliser::address(std::string bytes) {
    sa_family_t family = 0;
    uint16_t port = 0;
    if (bytes.size() < sizeof(sockaddr_in))
        return bytes;
    memcpy(&family, bytes.data(), sizeof family);
    memcpy(&port, bytes.data() + offsetof(sockaddr_in, sin_port), sizeof port);
    if ((family != AF_INET && family != AF_INET6) || !is_ephemeral(ntohs(port)))
        return bytes;
    return ports_(std::to_string(ntohs(port))) + bytes.substr(offsetof(sockaddr_in, sin_port) + sizeof port);
}

/// The length itself depends on numbers in the path: pids, inodes.
std::string bytes_cut(const telemetry::Text& text) {
    if (text.detached) // the kernel's length, the bytes with an inode's number
        return "of no use";
    return std::to_string(int64_t{text.original_length} - static_cast<int64_t>(text.bytes.size())) + " cut";
}

bool ends_with(const std::string& name, std::string_view end) {
    return name.ends_with(end);
}

void Normaliser::normalise(const telemetry::Event& event, Fields& fields) {
    for (auto& [name, value] : fields) {
        if (name == "pid" || name == "tid" || name == "ppid" || name == "child_pid")
            value = value == "0" ? value : pids_(value);
        else if (name == "ret")
            value = returned(event, value);
        else if (name.size() == 2 && name[0] == 'a' && name[1] >= '0' && name[1] <= '5')
            value = argument(event, static_cast<size_t>(name[1] - '0'), value);
        else if (ends_with(name, ".inode") && value != "none")
            value = inodes_(value);
        else if (ends_with(name, ".device"))
            value = devices_(value);
        else if ((name.starts_with("path") || name.starts_with("called")) && ends_with(name, ".bytes"))
            value = path(value);
        else if (name.starts_with("path") && ends_with(name, ".original_length"))
            value = bytes_cut(event.path[static_cast<size_t>(name[4] - '1')]);
        else if (name.starts_with("called") && ends_with(name, ".original_length"))
            value = bytes_cut(event.witnessed->called[static_cast<size_t>(name[6] - '1')]);
        else if (name == "comm" && value.find_first_not_of("0123456789") == value.npos)
            value = descriptors_(value); // a program without a path is named after its descriptor
        else if (name == "passed.fds")
            value = descriptors_(value);
        else if (name == "sockaddr.bytes")
            value = address(value);
        else if (ends_with(name, "_port") && is_ephemeral(static_cast<unsigned>(std::stoul(value))))
            value = ports_(value);
    }
}

std::string names_of(const std::vector<Fields>& events) {
    std::string text;
    for (const Fields& fields : events)
        text += " " + fields[1].second;
    return text;
}

} // namespace

std::string first_difference(const CaseRun& a, const CaseRun& b) {
    const auto one = Normaliser(a).take(), other = Normaliser(b).take();
    for (size_t i = 0; i < std::min(one.size(), other.size()); i++) {
        const std::string differing = differences(one[i], other[i]);
        if (!differing.empty())
            return "event " + std::to_string(i + 1) + " (" + one[i][1].second + "):\n" + differing;
    }
    if (one.size() != other.size())
        return "other events:\n " + names_of(one) + "\n " + names_of(other);
    return {};
}

} // namespace kernel_test

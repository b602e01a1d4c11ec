// SPDX-License-Identifier: LGPL-2.1
// The keys of the JSON form are the members of KernelSupport; its features are true,
// false, or null where this process could not find out.
#include <ebpf_loader/probe_report.hpp>

#include "loader/src/base/text.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

#include <nlohmann/json.hpp>

namespace ebpf_loader {
namespace {

using nlohmann::ordered_json;

enum class State { no, yes, unknown };

/// One list for both forms: a capability's JSON key, its words for people, its value.
struct Fact {
    const char* key;
    const char* words;
    State value;
};

State state_of(const KernelSupport& caps, std::string_view key, bool value) {
    for (const Unknown& unknown : caps.unknown)
        if (unknown.key == key)
            return State::unknown;
    return value ? State::yes : State::no;
}

std::vector<Fact> facts(const KernelSupport& caps) {
    std::vector<Fact> all;
    const auto add = [&](const char* key, const char* words, bool value) {
        all.push_back({key, words, state_of(caps, key, value)});
    };
    add("bpf_syscall", "bpf system call", caps.bpf_syscall);
    add("tracepoint_programs", "tracepoint programs", caps.tracepoint_programs);
    add("raw_tracepoint_programs", "raw tracepoint programs", caps.raw_tracepoint_programs);
    add("raw_tracepoints_preempted", "raw tracepoints are preempted", caps.raw_tracepoints_preempted);
    add("bounded_loops", "bounded loops", caps.bounded_loops);
    add("ring_buffer", "ring buffer", caps.ring_buffer);
    add("perf_event_array", "perf buffers", caps.perf_event_array);
    add("prog_array", "tail calls", caps.prog_array);
    add("lru_hash", "LRU hash maps", caps.lru_hash);
    add("boot_clock", "bpf_ktime_get_boot_ns", caps.boot_clock);
    add("direct_reads", "bpf_rdonly_cast", caps.direct_reads);
    add("probe_read_user", "bpf_probe_read_user", caps.probe_read_user);
    add("btf", "BTF of the kernel", caps.btf);
    add("sock_states", "sock:inet_sock_set_state", caps.sock_states);
    add("io_uring", "io_uring", caps.io_uring);
    add("lockdown_confidentiality", "lockdown (confidentiality)", caps.lockdown_confidentiality);
    return all;
}

/// The kernel's log keeps its lines; everything else is made harmless.
void write_indented(std::ostream& out, const std::string& text, const char* indent) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        out << indent << printable(line) << "\n";
}

const char* in_words(State state) {
    return state == State::unknown ? "unknown" : state == State::yes ? "yes" : "no";
}

ordered_json in_json(State state) {
    return state == State::unknown ? ordered_json() : ordered_json(state == State::yes);
}

std::string setting(int value) {
    return value < 0 ? "unreadable" : std::to_string(value);
}

void write_row(std::ostream& out, std::string words, const std::string& value) {
    constexpr size_t column = 36;
    words.resize(std::max(column, words.size() + 1), ' ');
    out << words << value << "\n";
}

const char* fate_of(const TierVerdict& verdict) {
    if (verdict.chosen)
        return "chosen";
    if (!verdict.possible)
        return "impossible";
    if (verdict.reason.empty())
        return "possible";
    return verdict.log_tail.empty() ? "passed over" : "refused";
}

void write_tiers(std::ostream& out, const std::vector<TierVerdict>& verdicts) {
    out << "\nTiers with all that can be selected, best first:\n";
    for (const TierVerdict& verdict : verdicts) {
        std::string name(tier_name(verdict.tier));
        name.resize(16, ' ');
        out << "  " << name << fate_of(verdict);
        if (!verdict.reason.empty())
            out << ": " << printable(verdict.reason);
        if (verdict.verified_instructions > 0)
            out << " (" << verdict.verified_instructions << " instructions verified)";
        out << "\n";
        write_indented(out, verdict.log_tail, "      ");
    }
}

/// As it is shown to people, so that both forms say the same: lines stay, other bytes are \xNN.
std::string shown(const std::string& text) {
    std::string out;
    size_t start = 0;
    for (;;) {
        const size_t end = text.find('\n', start);
        out += printable(std::string_view(text).substr(start, end - start));
        if (end == text.npos)
            return out;
        out += '\n';
        start = end + 1;
    }
}

ordered_json json_list(const std::vector<std::string>& texts) {
    ordered_json list = ordered_json::array();
    for (const std::string& text : texts)
        list.push_back(shown(text));
    return list;
}

ordered_json json_setting(int value) {
    return value < 0 ? ordered_json() : ordered_json(value);
}

ordered_json json_tier(const TierVerdict& verdict) {
    return {{"name", tier_name(verdict.tier)},
            {"fate", fate_of(verdict)},
            {"chosen", verdict.chosen},
            {"possible", verdict.possible},
            {"reason", shown(verdict.reason)},
            {"verifier_log_tail", shown(verdict.log_tail)},
            {"verified_instructions", verdict.verified_instructions}};
}

void write_settings(std::ostream& out, const KernelSupport& caps) {
    write_row(out, "net.core.bpf_jit_enable", setting(caps.jit));
    write_row(out, "kernel.unprivileged_bpf_disabled", setting(caps.unprivileged_bpf_disabled));
    write_row(out, "kernel.perf_event_paranoid", setting(caps.perf_event_paranoid));
}

/// What is blind or dear on this kernel, and what helps.
std::vector<std::string> notes(const KernelSupport& caps) {
    std::vector<std::string> all;
    if (caps.jit == 0)
        all.emplace_back(
            "the eBPF JIT compiler is off: programs are interpreted, and each event costs its process "
            "several times as much; to turn it on: sysctl -w net.core.bpf_jit_enable=1");
    if (caps.io_uring)
        all.emplace_back(
            "operations that programs submit through io_uring are not system calls: io_uring_setup, "
            "io_uring_enter and io_uring_register are reported, operations in the ring only where witnesses "
            "(below) can be attached; to forbid io_uring (Linux 6.6 and later): "
            "sysctl -w kernel.io_uring_disabled=2");
    if (caps.tracefs && !caps.sock_states)
        all.emplace_back(
            "no tracepoint sock:inet_sock_set_state (Linux 4.16 and later): connections to metadata services "
            "that are not opened by a system call, such as those of io_uring, are not reported");
    if (caps.sock_states && caps.io_uring)
        all.emplace_back("of connections to metadata services that io_uring opens, it is reported that they "
                         "were opened and by which process, but not what io_uring moves over them");
    if (caps.raw_tracepoints_preempted)
        all.emplace_back(
            "raw tracepoint programs can be preempted, and the kernel skips them for other tasks meanwhile: "
            "this is counted as missed runs; the tier tp is not affected");
    if (!caps.boot_clock)
        all.emplace_back(
            "no bpf_ktime_get_boot_ns: times are read from the monotonic clock and corrected for suspends");
    if (!caps.ring_buffer)
        all.emplace_back(
            "no ring buffer: each CPU has a buffer of its own, and events of different CPUs may be "
            "reported out of order by up to the time between two polls");
    if (!caps.btf)
        all.emplace_back("no BTF: kernel offsets are read from a config, or discovered at the first start");
    return all;
}

void write_notes(std::ostream& out, const KernelSupport& caps) {
    const auto all = notes(caps);
    if (!all.empty())
        out << "\nNotes:\n";
    for (const std::string& note : all)
        out << "  - " << note << "\n";
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text.empty() ? "none" : text;
}

void write_unknown(std::ostream& out, const KernelSupport& caps) {
    if (!caps.unknown.empty())
        out << "\nNot determined:\n";
    for (const Unknown& unknown : caps.unknown)
        out << "  " << unknown.key << ": " << unknown.why << "\n";
}

std::string instruction_limit(const KernelSupport& caps) {
    if (caps.instruction_limit == 0)
        return "unknown";
    return caps.instruction_limit > 4096 ? std::to_string(caps.instruction_limit) + " verified"
                                         : "4096 per program";
}

ordered_json json_kernel(const KernelSupport& caps) {
    return {{"release", shown(caps.release)},
            {"distribution", shown(caps.distribution)},
            {"bpf_jit_enable", json_setting(caps.jit)},
            {"unprivileged_bpf_disabled", json_setting(caps.unprivileged_bpf_disabled)},
            {"perf_event_paranoid", json_setting(caps.perf_event_paranoid)}};
}

ordered_json json_capabilities(const KernelSupport& caps) {
    ordered_json object;
    for (const Fact& fact : facts(caps))
        object[fact.key] = in_json(fact.value);
    object["instruction_limit"] =
        caps.instruction_limit ? ordered_json(caps.instruction_limit) : ordered_json();
    object["tracefs"] = caps.tracefs ? ordered_json(shown(caps.tracefs_path)) : ordered_json();
    return object;
}

/// If no kprobe can be attached, for one and the same reason, a single line says so.
void write_witnesses(std::ostream& out, const std::vector<WitnessVerdict>& witnesses) {
    if (witnesses.empty())
        return;
    out << "\nWitnesses (kprobes that capture the paths and addresses on which the kernel acts):\n";
    const std::string& reason = witnesses.front().reason;
    const bool none = std::all_of(witnesses.begin(), witnesses.end(), [&](const WitnessVerdict& one) {
        return !one.attached && one.reason == reason;
    });
    if (none) {
        out << "  none: " << printable(reason) << "\n";
        return;
    }
    for (const WitnessVerdict& one : witnesses)
        write_row(out, "  " + std::string(one.function),
                  one.attached ? "yes" : (one.needed ? "no: " : "not needed: ") + printable(one.reason));
}

ordered_json json_witnesses(const std::vector<WitnessVerdict>& witnesses) {
    ordered_json list = ordered_json::array();
    for (const WitnessVerdict& one : witnesses)
        list.push_back({{"function", std::string(one.function)},
                        {"attached", one.attached},
                        {"needed", one.needed},
                        {"reason", shown(one.reason)}});
    return list;
}

} // namespace

void write_probe_text(std::ostream& out, const KernelSupport& caps,
                      const std::vector<TierVerdict>& verdicts) {
    write_row(out, "Linux", printable(caps.release));
    write_row(out, "distribution", caps.distribution.empty() ? "unknown" : printable(caps.distribution));
    write_row(out, "privileges", caps.has_privileges ? "sufficient" : "lacking: " + caps.missing_privileges);
    write_row(out, "capabilities of this process", joined(caps.held_capabilities));
    for (const Fact& fact : facts(caps))
        write_row(out, fact.words, in_words(fact.value));
    write_row(out, "instructions", instruction_limit(caps));
    write_row(out, "tracefs", caps.tracefs ? caps.tracefs_path : "not mounted");
    write_settings(out, caps);
    write_notes(out, caps);
    write_unknown(out, caps);
    write_tiers(out, verdicts);
    if (caps.run_tier)
        out << "A run with these options takes " << tier_name(*caps.run_tier) << ".\n";
    write_witnesses(out, caps.witnesses);
}

void write_probe_json(std::ostream& out, const KernelSupport& caps,
                      const std::vector<TierVerdict>& verdicts) {
    ordered_json unknown = ordered_json::array();
    for (const Unknown& one : caps.unknown)
        unknown.push_back({{"key", shown(one.key)}, {"why", shown(one.why)}});
    ordered_json tiers = ordered_json::array();
    for (const TierVerdict& verdict : verdicts)
        tiers.push_back(json_tier(verdict));
    const ordered_json object = {
        {"kernel", json_kernel(caps)},
        {"privileges",
         {{"sufficient", caps.has_privileges},
          {"missing", shown(caps.missing_privileges)},
          {"held", json_list(caps.held_capabilities)}}},
        {"capabilities", json_capabilities(caps)},
        {"notes", json_list(notes(caps))},
        {"unknown", unknown},
        {"tiers", tiers},
        {"run_tier", caps.run_tier ? ordered_json(tier_name(*caps.run_tier)) : ordered_json()},
        {"witnesses", json_witnesses(caps.witnesses)}};
    out << object.dump() << '\n';
}

} // namespace ebpf_loader

// SPDX-License-Identifier: MIT
#include <ebpf_loader/offsets.hpp>
#include <ebpf_loader/probe.hpp>
#include <ebpf_loader/probe_report.hpp>

#include "loader/src/base/kernel_image.hpp"
#include "test/unit/support/child.hpp"
#include "test/unit/support/emulated.hpp"

#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace ebpf_loader {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A kernel that can do everything.
KernelSupport best_kernel() {
    KernelSupport caps;
    caps.release = "6.18.0";
    caps.distribution = "Debian GNU/Linux 12 (bookworm)";
    caps.bpf_syscall = caps.tracepoint_programs = caps.raw_tracepoint_programs = true;
    caps.ring_buffer = caps.perf_event_array = caps.prog_array = caps.lru_hash = true;
    caps.boot_clock = caps.probe_read_user = caps.bounded_loops = caps.btf = true;
    caps.instruction_limit = 1000000;
    caps.tracefs = true;
    caps.tracefs_path = "/sys/kernel/tracing";
    caps.has_privileges = true;
    caps.jit = 1;
    return caps;
}

/// The names of the possible tiers, best first.
std::string possible(const KernelSupport& caps) {
    std::string names;
    for (const TierVerdict& verdict : judge_tiers(caps)) {
        EXPECT_FALSE(verdict.chosen);
        EXPECT_EQ(verdict.possible, verdict.reason.empty()) << verdict.reason;
        if (verdict.possible)
            names += (names.empty() ? "" : " ") + std::string(tier_name(verdict.tier));
    }
    return names;
}

std::string reason(const KernelSupport& caps, Tier tier) {
    for (const TierVerdict& verdict : judge_tiers(caps))
        if (verdict.tier == tier)
            return verdict.reason;
    return "(not judged)";
}

TEST(Tiers, NamesThereAndBack) {
    for (Tier tier : {Tier::tp, Tier::raw_tp_sub4096, Tier::raw_tp_noloops, Tier::raw_tp})
        EXPECT_EQ(parse_tier(tier_name(tier)), tier);
    EXPECT_EQ(parse_tier("raw"), std::nullopt);
    EXPECT_EQ(parse_tier(""), std::nullopt);
    EXPECT_EQ(tier_name(Tier::raw_tp_noloops), "raw_tp_noloops");
}

TEST(Tiers, AreJudgedBestFirst) {
    EXPECT_EQ(possible(best_kernel()), "raw_tp raw_tp_noloops raw_tp_sub4096 tp");
}

TEST(Tiers, FallWithWhatTheyNeed) {
    KernelSupport caps = best_kernel();
    caps.bounded_loops = false;
    EXPECT_EQ(possible(caps), "raw_tp_noloops raw_tp_sub4096 tp");
    EXPECT_THAT(reason(caps, Tier::raw_tp), HasSubstr("loops"));
    caps.instruction_limit = 4096;
    EXPECT_EQ(possible(caps), "raw_tp_sub4096 tp");
    EXPECT_THAT(reason(caps, Tier::raw_tp_noloops), HasSubstr("4096 instructions"));
    caps.raw_tracepoint_programs = false;
    EXPECT_EQ(possible(caps), "tp");
    EXPECT_THAT(reason(caps, Tier::raw_tp_sub4096), HasSubstr("raw tracepoint"));
    caps.tracefs = false;
    EXPECT_EQ(possible(caps), "");
    EXPECT_THAT(reason(caps, Tier::tp), HasSubstr("mount -t tracefs"));
    caps.tracepoint_programs = false;
    EXPECT_THAT(reason(caps, Tier::tp), HasSubstr("CONFIG_BPF_EVENTS"));
}

TEST(Tiers, ThatCanBePreemptedComeAfterTheOneThatCannot) {
    KernelSupport caps = best_kernel();
    caps.raw_tracepoints_preempted = true;
    EXPECT_EQ(possible(caps), "tp raw_tp raw_tp_noloops raw_tp_sub4096");
    for (const TierVerdict& verdict : judge_tiers(caps))
        EXPECT_EQ(verdict.drawback.empty(), verdict.tier == Tier::tp);
    caps.tracepoint_programs = false;
    EXPECT_EQ(possible(caps), "raw_tp raw_tp_noloops raw_tp_sub4096");
}

TEST(Tiers, OneBufferIsEnough) {
    KernelSupport caps = best_kernel();
    caps.ring_buffer = false;
    EXPECT_EQ(possible(caps), "raw_tp raw_tp_noloops raw_tp_sub4096 tp");
    caps.perf_event_array = false;
    EXPECT_EQ(possible(caps), "");
    caps.ring_buffer = true;
    EXPECT_EQ(possible(caps), "raw_tp raw_tp_noloops raw_tp_sub4096 tp");
}

TEST(Tiers, SomeObstaclesStopAll) {
    const auto all_say = [](const KernelSupport& caps, const char* text) {
        EXPECT_EQ(possible(caps), "");
        for (Tier tier : {Tier::tp, Tier::raw_tp_sub4096, Tier::raw_tp_noloops, Tier::raw_tp})
            EXPECT_THAT(reason(caps, tier), HasSubstr(text));
    };
    KernelSupport caps = best_kernel();
    caps.lockdown_confidentiality = true;
    all_say(caps, "locked down");
    caps = best_kernel();
    caps.has_privileges = false;
    caps.missing_privileges = "CAP_BPF";
    all_say(caps, "lacks CAP_BPF");
    caps = best_kernel();
    caps.prog_array = false;
    all_say(caps, "tail calls");
    caps = best_kernel();
    caps.bpf_syscall = false;
    all_say(caps, "bpf system call");
}

TEST(Tiers, NeedTheirStructuresInOnePiece) {
    Offsets offsets;
    const auto set = [&](const char* name, uint32_t value) { offsets.set(*Offsets::find(name), value); };
    set("dentry.d_parent", 24), set("dentry.d_name", 32), set("qstr.len", 4), set("qstr.name", 8);
    set("mount.mnt_parent", 16), set("mount.mnt_mountpoint", 24), set("mount.mnt", 32);
    set("vfsmount.mnt_root", 0), set("path.mnt", 0), set("path.dentry", 8), set("fdtable.fd", 8);
    const auto judged = [&](Tier tier, const KernelSupport& caps) {
        for (const TierVerdict& verdict : judge_tiers(caps, offsets))
            if (verdict.tier == tier)
                return verdict;
        return TierVerdict{};
    };
    for (Tier tier : {Tier::tp, Tier::raw_tp_sub4096, Tier::raw_tp_noloops, Tier::raw_tp})
        EXPECT_TRUE(judged(tier, best_kernel()).possible);
    set("mount.mnt_mountpoint", 48);
    for (Tier tier : {Tier::tp, Tier::raw_tp_sub4096, Tier::raw_tp_noloops}) {
        EXPECT_FALSE(judged(tier, best_kernel()).possible);
        EXPECT_THAT(judged(tier, best_kernel()).reason,
                    HasSubstr("mount.mnt_mountpoint = 48 is not 8 above"));
    }
    EXPECT_TRUE(judged(Tier::raw_tp, best_kernel()).possible);
    KernelSupport caps = best_kernel();
    caps.bpf_syscall = false; // what stands against a tier anyway is reported first
    EXPECT_THAT(judged(Tier::tp, caps).reason, HasSubstr("bpf system call"));
    EXPECT_FALSE(judged(Tier::raw_tp, caps).possible);
}

json json_report(const KernelSupport& caps, const std::vector<TierVerdict>& verdicts) {
    std::ostringstream text;
    write_probe_json(text, caps, verdicts);
    EXPECT_EQ(text.str().back(), '\n');
    return json::parse(text.str());
}

std::string text_report(const KernelSupport& caps, const std::vector<TierVerdict>& verdicts) {
    std::ostringstream text;
    write_probe_text(text, caps, verdicts);
    return text.str();
}

std::set<std::string> keys(const json& object) {
    std::set<std::string> found;
    for (const auto& [key, value] : object.items())
        found.insert(key);
    return found;
}

TEST(ProbeReport, TellsWhatIsBlindOrDear) {
    KernelSupport caps;
    const auto notes = [&] {
        std::ostringstream text;
        write_probe_text(text, caps, {});
        return text.str();
    };
    caps.boot_clock = caps.ring_buffer = caps.btf = true;
    caps.jit = 1;
    EXPECT_EQ(notes().find("Notes:"), std::string::npos);
    caps.jit = 0;
    EXPECT_NE(notes().find("bpf_jit_enable=1"), std::string::npos);
    caps.io_uring = true;
    EXPECT_NE(notes().find("submit through io_uring are not system calls"), std::string::npos);
    EXPECT_EQ(notes().find("inet_sock_set_state (Linux 4.16 and later)"), std::string::npos)
        << "nobody has looked";
    caps.tracefs = true;
    EXPECT_NE(
        notes().find(
            "no tracepoint sock:inet_sock_set_state (Linux 4.16 and later): connections to metadata services "
            "that are not opened by a system call, such as those of io_uring, are not reported"),
        std::string::npos);
    caps.sock_states = true;
    EXPECT_EQ(notes().find("inet_sock_set_state (Linux 4.16 and later)"), std::string::npos);
    EXPECT_NE(notes().find("of connections to metadata services that io_uring opens, it is reported"),
              std::string::npos);
    caps.btf = false;
    EXPECT_NE(notes().find("no BTF: "), std::string::npos);
    caps.held_capabilities = {"CAP_BPF", "CAP_PERFMON"};
    EXPECT_NE(notes().find("CAP_BPF CAP_PERFMON"), std::string::npos);
}

TEST(ProbeReport, JsonKeysAreStable) {
    const json report = json_report(best_kernel(), judge_tiers(best_kernel()));
    EXPECT_EQ(keys(report), (std::set<std::string>{"kernel", "privileges", "capabilities", "notes", "unknown",
                                                   "tiers", "run_tier", "witnesses"}));
    EXPECT_EQ(keys(report["kernel"]),
              (std::set<std::string>{"release", "distribution", "bpf_jit_enable", "unprivileged_bpf_disabled",
                                     "perf_event_paranoid"}));
    EXPECT_EQ(keys(report["capabilities"]),
              (std::set<std::string>{"bpf_syscall", "tracepoint_programs", "raw_tracepoint_programs",
                                     "raw_tracepoints_preempted", "bounded_loops", "ring_buffer",
                                     "perf_event_array", "prog_array", "lru_hash", "boot_clock",
                                     "direct_reads", "probe_read_user", "btf", "sock_states", "io_uring",
                                     "lockdown_confidentiality", "instruction_limit", "tracefs"}));
    EXPECT_EQ(keys(report["privileges"]), (std::set<std::string>{"sufficient", "missing", "held"}));
    ASSERT_EQ(report["tiers"].size(), 4u);
    EXPECT_EQ(keys(report["tiers"][0]),
              (std::set<std::string>{"name", "fate", "chosen", "possible", "reason", "verifier_log_tail",
                                     "verified_instructions"}));
    EXPECT_EQ(report["tiers"][0]["name"], "raw_tp");
    EXPECT_EQ(report["tiers"][0]["fate"], "possible");
    EXPECT_EQ(report["kernel"]["bpf_jit_enable"], 1);
    EXPECT_TRUE(report["kernel"]["perf_event_paranoid"].is_null());
    EXPECT_EQ(report["capabilities"]["tracefs"], "/sys/kernel/tracing");
}

TEST(ProbeReport, TellsWhatARunTakes) {
    KernelSupport caps = best_kernel();
    EXPECT_THAT(text_report(caps, judge_tiers(caps)), Not(HasSubstr("A run")));
    EXPECT_TRUE(json_report(caps, judge_tiers(caps))["run_tier"].is_null());
    caps.run_tier = Tier::raw_tp_noloops;
    EXPECT_THAT(text_report(caps, judge_tiers(caps)),
                HasSubstr("\nA run with these options takes raw_tp_noloops.\n"));
    EXPECT_EQ(json_report(caps, judge_tiers(caps))["run_tier"], "raw_tp_noloops");
}

TEST(ProbeReport, TellsTheFateOfEachTier) {
    KernelSupport caps = best_kernel();
    caps.raw_tracepoint_programs = false;
    std::vector<TierVerdict> verdicts = judge_tiers(best_kernel());
    verdicts[0].reason = "the verifier refused it";
    verdicts[0].log_tail = "123: (85) call\nR1 type=scalar";
    verdicts[1].chosen = true;
    verdicts[1].verified_instructions = 4711;
    verdicts[2].reason = "another tier was requested";
    verdicts[3] = judge_tiers(caps)[0];
    const std::string text = text_report(caps, verdicts);
    EXPECT_THAT(text, HasSubstr("raw_tp          refused: the verifier refused it\n"));
    EXPECT_THAT(text, HasSubstr("\n      123: (85) call\n      R1 type=scalar\n"));
    EXPECT_THAT(text, HasSubstr("raw_tp_noloops  chosen (4711 instructions verified)\n"));
    EXPECT_THAT(text, HasSubstr("raw_tp_sub4096  passed over: another tier was requested\n"));
    EXPECT_THAT(text, HasSubstr("impossible: the kernel has no raw tracepoint"));
    const json report = json_report(caps, verdicts);
    EXPECT_EQ(report["tiers"][0]["fate"], "refused");
    EXPECT_EQ(report["tiers"][0]["verifier_log_tail"], verdicts[0].log_tail);
    EXPECT_EQ(report["tiers"][1]["fate"], "chosen");
    EXPECT_EQ(report["tiers"][2]["fate"], "passed over");
    EXPECT_EQ(report["tiers"][3]["fate"], "impossible");
}

TEST(ProbeReport, WhatIsUnknownIsNeitherYesNorNo) {
    KernelSupport caps = best_kernel();
    caps.ring_buffer = false;
    caps.instruction_limit = 0;
    caps.unknown = {{"ring_buffer", "forbidden"}, {"instruction_limit", "forbidden"}};
    const json report = json_report(caps, {});
    EXPECT_TRUE(report["capabilities"]["ring_buffer"].is_null());
    EXPECT_TRUE(report["capabilities"]["instruction_limit"].is_null());
    EXPECT_EQ(report["capabilities"]["bounded_loops"], true);
    EXPECT_EQ(report["unknown"][0], (json{{"key", "ring_buffer"}, {"why", "forbidden"}}));
    EXPECT_THAT(text_report(caps, {}), AllOf(testing::ContainsRegex("ring buffer +unknown\n"),
                                             testing::ContainsRegex("instructions +unknown\n"),
                                             HasSubstr("ring_buffer: forbidden")));
}

TEST(ProbeReport, HostileTextStaysText) {
    KernelSupport caps = best_kernel();
    caps.distribution = "Evil \"OS\"\x1b[2J\\ \xff\n,\"forged\":1";
    const json report = json_report(caps, judge_tiers(caps));
    EXPECT_EQ(report["kernel"]["distribution"], "Evil \"OS\"\\x1b[2J\\ \\xff\n,\"forged\":1");
    const std::string text = text_report(caps, judge_tiers(caps));
    EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), HasSubstr("\\xff\\x0a,")));
}

// On the running kernel, compared with what libbpf finds by its own means.

TEST(Probe, AgreesWithLibbpf) {
    SKIP_WITHOUT_BPF();
    const KernelSupport caps = probe_kernel();
    ASSERT_TRUE(caps.has_privileges) << "this test needs root; missing: " << caps.missing_privileges;
    EXPECT_EQ(caps.missing_privileges, "");
    EXPECT_TRUE(caps.bpf_syscall);
    EXPECT_EQ(caps.release, running_release());
    const auto program = [](bpf_prog_type type) { return libbpf_probe_bpf_prog_type(type, nullptr) == 1; };
    const auto map = [](bpf_map_type type) { return libbpf_probe_bpf_map_type(type, nullptr) == 1; };
    const auto helper = [](bpf_func_id id) {
        return libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, id, nullptr) == 1;
    };
    EXPECT_EQ(caps.tracepoint_programs, program(BPF_PROG_TYPE_TRACEPOINT));
    EXPECT_EQ(caps.raw_tracepoint_programs, program(BPF_PROG_TYPE_RAW_TRACEPOINT));
    EXPECT_EQ(caps.ring_buffer, map(BPF_MAP_TYPE_RINGBUF));
    EXPECT_EQ(caps.perf_event_array, map(BPF_MAP_TYPE_PERF_EVENT_ARRAY));
    EXPECT_EQ(caps.prog_array, map(BPF_MAP_TYPE_PROG_ARRAY));
    EXPECT_EQ(caps.lru_hash, map(BPF_MAP_TYPE_LRU_HASH));
    EXPECT_EQ(caps.boot_clock, helper(BPF_FUNC_ktime_get_boot_ns));
    EXPECT_EQ(caps.probe_read_user, helper(BPF_FUNC_probe_read_user));
    EXPECT_EQ(caps.btf, access("/sys/kernel/btf/vmlinux", R_OK) == 0);
    EXPECT_EQ(caps.tracefs,
              access((caps.tracefs_path + "/events/raw_syscalls/sys_exit/id").c_str(), F_OK) == 0);
    // Loops came with the kernel after the one that raised the limit.
    EXPECT_TRUE(caps.instruction_limit == 4096 || caps.instruction_limit == 1000000);
    EXPECT_TRUE(!caps.bounded_loops || caps.instruction_limit == 1000000);
}

TEST(Probe, WithoutPrivilegesItSaysWhatItCannotTell) {
    SKIP_WITHOUT_BPF();
    const json report = json::parse(in_child([] {
        drop_privileges();
        const KernelSupport caps = probe_kernel();
        std::ostringstream text;
        write_probe_json(text, caps, judge_tiers(caps));
        return text.str();
    }));
    EXPECT_EQ(report["privileges"]["sufficient"], false);
    EXPECT_THAT(report["privileges"]["missing"].get<std::string>(), HasSubstr("CAP_"));
    EXPECT_EQ(report["kernel"]["release"], running_release());
    for (const char* key : {"tracepoint_programs", "raw_tracepoint_programs"})
        EXPECT_TRUE(report["capabilities"][key].is_null()) << key;
    if (report["kernel"]["unprivileged_bpf_disabled"] != 0) { // where it is 0, anyone may make maps
        for (const char* key : {"perf_event_array", "prog_array"})
            EXPECT_TRUE(report["capabilities"][key].is_null()) << key;
    }
    EXPECT_FALSE(report["unknown"].empty());
    for (const json& tier : report["tiers"])
        EXPECT_THAT(tier["reason"].get<std::string>(), HasSubstr("lacks CAP_"));
}

TEST(Probe, AUserNamespaceIsNotEnough) {
    const std::string missing = in_child([]() -> std::string {
        drop_privileges();
        if (unshare(CLONE_NEWUSER) != 0)
            return "no user namespaces: " + std::string(strerror(errno));
        return probe_kernel().missing_privileges;
    });
    if (missing.starts_with("no user namespaces"))
        GTEST_SKIP() << missing << (is_emulated() ? ": the emulator has threads of its own" : "");
    EXPECT_THAT(missing, HasSubstr("the bpf system call"));
}

} // namespace
} // namespace ebpf_loader

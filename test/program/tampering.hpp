// SPDX-License-Identifier: MIT
// What a privileged process can do to the program's maps, hooks and programs, and a run that notices.
#pragma once
#include <chrono>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <ebpf_loader/unique_fd.hpp>

#include "test/program/losses.hpp"
#include "test/program/run_fixture.hpp"

namespace program_test {

using ebpf_loader::UniqueFd;
using testing::HasSubstr;

inline int bpf(int command, bpf_attr& attributes) {
    return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

/// A map of a process by its name, as any privileged process gets it; invalid: there is none.
inline UniqueFd map_of(pid_t pid, const std::string& name) {
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
        const std::string text = read_file(entry.path());
        const size_t at = text.find("map_id:");
        if (at == std::string::npos)
            continue;
        bpf_attr by_id{};
        by_id.map_id = static_cast<uint32_t>(std::strtoul(text.c_str() + at + 7, nullptr, 10));
        UniqueFd map(bpf(BPF_MAP_GET_FD_BY_ID, by_id));
        bpf_map_info info{};
        bpf_attr ask{};
        ask.info.bpf_fd = static_cast<uint32_t>(map.get());
        ask.info.info_len = sizeof info;
        ask.info.info = reinterpret_cast<uint64_t>(&info);
        if (map && bpf(BPF_OBJ_GET_INFO_BY_FD, ask) == 0 && name == info.name)
            return map;
    }
    return {};
}

template <typename Value> bool change(const UniqueFd& map, uint32_t key, void (*change)(Value&)) {
    Value value{};
    bpf_attr element{};
    element.map_fd = static_cast<uint32_t>(map.get());
    element.key = reinterpret_cast<uint64_t>(&key);
    element.value = reinterpret_cast<uint64_t>(&value);
    if (bpf(BPF_MAP_LOOKUP_ELEM, element) != 0)
        return false;
    change(value);
    return bpf(BPF_MAP_UPDATE_ELEM, element) == 0;
}

inline bool remove(const UniqueFd& map, uint32_t key) {
    bpf_attr element{};
    element.map_fd = static_cast<uint32_t>(map.get());
    element.key = reinterpret_cast<uint64_t>(&key);
    return bpf(BPF_MAP_DELETE_ELEM, element) == 0;
}

inline uint32_t type_of(const UniqueFd& map) {
    bpf_map_info info{};
    bpf_attr ask{};
    ask.info.bpf_fd = static_cast<uint32_t>(map.get());
    ask.info.info_len = sizeof info;
    ask.info.info = reinterpret_cast<uint64_t>(&info);
    return bpf(BPF_OBJ_GET_INFO_BY_FD, ask) == 0 ? info.type : 0;
}

/// The process's descriptors of a kind, as /proc names it.
inline std::vector<int> descriptors(pid_t pid, const std::string& kind) {
    std::vector<int> numbers;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
        if (std::error_code gone; std::filesystem::read_symlink(entry.path(), gone) == kind)
            numbers.push_back(std::stoi(entry.path().filename()));
    return numbers;
}

/// A request to all perf events of the process; how many took it.
inline int ask_perf_events(pid_t pid, unsigned long request, long argument) {
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    int taken = 0;
    for (const int number : descriptors(pid, "anon_inode:[perf_event]")) {
        const UniqueFd event(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
        taken += event && ioctl(event.get(), request, argument) == 0;
    }
    return taken;
}

/// A buffer of one's own for a CPU.
inline UniqueFd own_buffer(int cpu) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
    attributes.sample_type = PERF_SAMPLE_RAW;
    UniqueFd event(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, 0)));
    const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE)) * 65;
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, event.get(), 0);
    EXPECT_NE(memory, MAP_FAILED); // until the test ends
    return event;
}

inline bool put(const UniqueFd& map, uint32_t key, int value) {
    bpf_attr element{};
    element.map_fd = static_cast<uint32_t>(map.get());
    element.key = reinterpret_cast<uint64_t>(&key);
    element.value = reinterpret_cast<uint64_t>(&value);
    return bpf(BPF_MAP_UPDATE_ELEM, element) == 0;
}

/// A program that does nothing.
inline UniqueFd idle_program(uint32_t type) {
    const bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    bpf_attr load{};
    load.prog_type = type;
    load.insns = reinterpret_cast<uint64_t>(code);
    load.insn_cnt = 2;
    load.license = reinterpret_cast<uint64_t>("GPL");
    return UniqueFd(bpf(BPF_PROG_LOAD, load));
}

inline UniqueFd link_by_id(uint32_t id) {
    bpf_attr by_id{};
    by_id.link_id = id;
    return UniqueFd(bpf(BPF_LINK_GET_FD_BY_ID, by_id));
}

inline bool detach(const UniqueFd& link) {
    bpf_attr which{};
    which.link_detach.link_fd = static_cast<uint32_t>(link.get());
    return bpf(BPF_LINK_DETACH, which) == 0;
}

inline bool swap_program(const UniqueFd& link, const UniqueFd& program) {
    bpf_attr what{};
    what.link_update.link_fd = static_cast<uint32_t>(link.get());
    what.link_update.new_prog_fd = static_cast<uint32_t>(program.get());
    return bpf(BPF_LINK_UPDATE, what) == 0;
}

/// The links of the process, as any privileged process gets them.
inline std::vector<UniqueFd> links_of(pid_t pid) {
    std::vector<UniqueFd> links;
    for (const int number : descriptors(pid, "anon_inode:bpf_link")) {
        const std::string text =
            read_file("/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(number));
        const size_t at = text.find("link_id:");
        if (at != std::string::npos)
            links.push_back(link_by_id(static_cast<uint32_t>(std::stoul(text.substr(at + 8)))));
    }
    return links;
}

struct Tampering : Run, testing::WithParamInterface<const char*> {
    void SetUp() override {
        const std::string reason = losses::why_impossible(GetParam());
        if (!reason.empty())
            GTEST_SKIP() << "Tampering." << GetParam() << ": " << reason;
    }
    std::vector<std::string> with_tier(std::initializer_list<std::string> more = {}) const {
        std::vector<std::string> all = arguments({"-o", log, "--tier", GetParam()});
        all.insert(all.end(), more);
        return all;
    }
    /// What the program has written, but for a line that it may be writing now.
    std::vector<json> written() const {
        const std::string text = read_file(log);
        return parsed(text.substr(0, text.rfind('\n') + 1));
    }
    /// Loss events with this cause.
    uint64_t losses_of(const std::string& cause) const {
        uint64_t count = 0;
        for (const json& line : written())
            if (line["event"]["action"] == "loss" && line["linux"]["telemetry"]["loss"]["cause"] == cause)
                count += line["linux"]["telemetry"]["loss"]["count"].get<uint64_t>();
        return count;
    }
    uint64_t events() const {
        uint64_t count = 0;
        for (const json& line : written())
            count += line["event"]["action"] == "getppid";
        return count;
    }
    /// The change is noticed in time and put right.
    void expect_repaired(RunningProgram& program, const std::string& what) {
        const auto changed = std::chrono::steady_clock::now();
        EXPECT_TRUE(eventually([&] { return losses_of("tampered") > 0; })) << program.err();
        EXPECT_LT(std::chrono::steady_clock::now() - changed, std::chrono::seconds(3));
        EXPECT_THAT(program.err(), HasSubstr(what));
        EXPECT_THAT(program.err(), HasSubstr("they are restored"));
        const uint64_t before = events();
        call_getppid(caller, 7);
        EXPECT_TRUE(eventually([&] { return events() == before + 7; })) << "nothing is hidden any more";
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0);
        const json summary = program.summaries().at(0);
        expect_balance(summary);
        EXPECT_EQ(summary["tampered"], losses_of("tampered"));
    }
};

} // namespace program_test

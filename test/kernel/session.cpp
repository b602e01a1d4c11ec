// SPDX-License-Identifier: MIT
#include "test/kernel/session.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "telemetry/rules/rules.hpp"
#include "telemetry/rules/terms/groups.hpp"

namespace kernel_test {

namespace {

constexpr uint64_t case_timeout_ns = 30'000'000'000;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + strerror(errno));
}

std::string read_text(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string read_link(const char* file) {
    std::error_code error;
    return std::filesystem::read_symlink(file, error).string();
}

} // namespace

SharedLog::SharedLog() {
    fd_ = static_cast<int>(syscall(SYS_memfd_create, "call_log", 1u /* MFD_CLOEXEC */));
    if (fd_ < 0 || ftruncate(fd_, sizeof(call_log)) != 0)
        fail("no memory to share");
    void* address = mmap(nullptr, sizeof(call_log), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (address == MAP_FAILED)
        fail("no memory to share");
    log_ = static_cast<call_log*>(address);
}

SharedLog::~SharedLog() {
    munmap(log_, sizeof(call_log));
    close_fd();
}

void SharedLog::close_fd() {
    if (fd_ >= 0)
        close(fd_);
    fd_ = -1;
}

TestFolder::TestFolder(const std::string& path) : path_(path) {
    std::filesystem::create_directories(path_);
    if (chmod(path_.c_str(), 0755) != 0)
        fail(path_);
}

TestFolder::~TestFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    if (error) // deeper than the library's recursion goes, or a bug of the test's
        fprintf(stderr, "cannot remove %s: %s\n", path_.c_str(), error.message().c_str());
}

const std::string& base_folder() {
    static const std::string path = (std::filesystem::canonical(std::filesystem::temp_directory_path()) /
                                     ("kernel_tests." + std::to_string(getpid())))
                                        .string();
    return path;
}

std::string program_folder() {
    const std::string program = read_link("/proc/self/exe");
    return program.substr(0, program.rfind('/'));
}

std::optional<uint32_t> own_login_uid() {
    static const std::optional<uint32_t> uid = []() -> std::optional<uint32_t> {
        const std::string wanted = std::to_string(0x3a000000u + static_cast<uint32_t>(getpid()));
        std::ofstream("/proc/self/loginuid") << wanted << std::flush;
        if (read_text("/proc/self/loginuid") != wanted)
            return std::nullopt;
        return static_cast<uint32_t>(std::stoul(wanted));
    }();
    return uid;
}

namespace {

uint32_t read_number(const char* file) {
    const std::string text = read_text(file);
    return text.empty() ? UINT32_MAX : static_cast<uint32_t>(std::stoul(text));
}

uint64_t start_ticks(pid_t pid) {
    const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string field;
    for (int i = 3; i <= 22; i++)
        fields >> field;
    return std::stoull(field);
}

/// What events of this process would say: where a case's process starts from.
void describe_self(call_log& log) {
    log_identity& who = log.identity[log.identities++];
    const auto text = [&](const std::string& bytes) {
        return log_bytes(&log, bytes.data(), static_cast<uint32_t>(bytes.size()));
    };
    who.ppid = static_cast<uint32_t>(getpid());
    who.auid = read_number("/proc/self/loginuid");
    who.ses = read_number("/proc/self/sessionid");
    uint32_t real, effective, saved;
    getresuid(&real, &effective, &saved);
    who.uid = real, who.euid = who.fsuid = effective, who.suid = saved;
    getresgid(&real, &effective, &saved);
    who.gid = real, who.egid = who.fsgid = effective, who.sgid = saved;
    const std::string comm = read_text("/proc/self/comm");
    log_string(who.comm, sizeof who.comm, comm.substr(0, comm.size() - 1).c_str());
    struct stat status {};
    stat("/proc/self/exe", &status);
    who.exe.text = text(read_link("/proc/self/exe"));
    who.exe.text.flags = LOG_HAS_INODE;
    who.exe.text.argument = EBT_ARG_NONE;
    who.exe.ino = status.st_ino;
    who.exe.mode = status.st_mode;
    who.exe.uid = status.st_uid;
    who.exe.gid = status.st_gid;
    who.argv = text(read_text("/proc/self/cmdline"));
    who.argv.source = LOG_USER_MEMORY; // its exec was not seen
    who.cwd = text(read_link("/proc/self/cwd"));
}

/// In the child: never returns.
[[noreturn]] void be_case(const Case& test, CaseRun& run, const std::string& folder) {
    raw_syscall(SYS_fcntl, static_cast<uint64_t>(run.log.fd()), F_DUPFD, LOG_FD);
    raw_syscall(SYS_setsid); // no terminal
    Process process(*run.log, 0, folder, program_folder());
    log_identity& who = process.change();
    who.pid = who.tid = static_cast<uint32_t>(raw_syscall(SYS_getpid));
    Call call = process.call({"chdir", SYS_chdir}, folder.c_str());
    process.set_text(process.change().cwd, folder);
    call.succeeds().by(process).led_to(0, folder);
    test.run(process);
    process.exit_group(0);
}

} // namespace

void run_case(const Case& test, CaseRun& run, Collector& collector) {
    const TestFolder folder(base_folder() + "/" + test.name);
    describe_self(*run.log);
    if (test.prepare)
        test.prepare(folder.path());
    run.begin_ns = log_now();
    const pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0)
        be_case(test, run, folder.path());
    run.pid = static_cast<uint32_t>(pid);
    run.start_ticks = start_ticks(pid);
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && log_now() < run.begin_ns + case_timeout_ns)
        collector.poll(std::chrono::milliseconds(1));
    if (ended == 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        run.failure = "the case's process did not end\n";
    } else if (!WIFEXITED(status) && !run.log->failed) {
        run.failure = "the case's process was killed by signal " + std::to_string(WTERMSIG(status)) + "\n";
    }
    if (run.log->failed)
        run.failure += std::string(run.log->failure) + "\n";
    run.end_ns = log_now();
    run.log.close_fd();
    collector.poll(std::chrono::milliseconds(0));
}

void distribute(const std::vector<OwnedEvent>& events, std::map<std::string, CaseRun>& runs) {
    constexpr uint64_t slack_ns = 20'000'000;
    std::multimap<uint32_t, CaseRun*> by_pid;
    for (auto& [name, run] : runs) {
        std::map<uint32_t, bool> pids;
        for (uint32_t i = 1; i < std::min<uint32_t>(run.log->identities, LOG_IDENTITIES); i++)
            pids[run.log->identity[i].pid] = true;
        for (const auto& [pid, is_there] : pids)
            by_pid.emplace(pid, &run);
    }
    for (const OwnedEvent& event : events) {
        const auto [begin, end] = by_pid.equal_range(event->pid);
        for (auto run = begin; run != end; ++run)
            if (event->time_ns + slack_ns > run->second->begin_ns &&
                event->time_ns < run->second->end_ns + slack_ns)
                run->second->events.push_back(&event);
    }
}

namespace {

std::vector<std::string> logical_lines(std::string_view rules) {
    std::istringstream in{std::string(rules)};
    std::vector<std::string> lines;
    std::string line, whole;
    while (std::getline(in, line)) {
        line = line.substr(0, line.find('#'));
        line.erase(line.find_last_not_of(" \t") + 1);
        const bool goes_on = line.ends_with('\\');
        whole += goes_on ? line.substr(0, line.size() - 1) : line;
        if (!goes_on)
            lines.push_back(std::exchange(whole, {}));
    }
    return lines;
}

} // namespace

std::vector<std::string> default_rule_names() {
    std::vector<std::string> names;
    const auto add = [&](std::string_view name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
            names.emplace_back(name);
    };
    for (const std::string& line : logical_lines(telemetry::Rules::built_in())) {
        std::istringstream words(line);
        std::string word;
        if (!(words >> word) || word == "not" || word == "let" || word == "env" || word == "exec_search")
            continue;
        const telemetry::rules::Group* group = telemetry::rules::find_group(word);
        if (!group)
            add(word);
        else
            for (const std::string_view call : group->calls)
                add(call);
        if (group && group->opens)
            for (const char* call : {"open", "openat", "openat2"})
                add(call);
    }
    return names;
}

std::string session_rules() {
    std::vector<std::string> names = default_rule_names();
    for (const char* name :
         {"process_exec", "exit",   "exit_group", "rt_sigreturn", "clone",    "clone3",    "fork",
          "vfork",        "bind",   "sendto",     "sendmsg",      "recvfrom", "recvmsg",   "sendmmsg",
          "recvmmsg",     "chdir",  "fchdir",     "socketpair",   "dup3",     "sigreturn", "utimensat",
          "semop",        "semget", "semctl",     "msgget",       "msgsnd",   "msgrcv",    "msgctl",
          "shmget",       "shmctl", "shmdt",      "pwrite64"})
        if (std::find(names.begin(), names.end(), name) == names.end())
            names.emplace_back(name);
    const auto uid = own_login_uid();
    const std::string login = uid ? "auid = " + std::to_string(*uid) : "";
    std::string text;
    for (const std::string& name : names) {
        // What every program start and every allocation does is left out.
        std::string clause;
        if (name == "mmap" || name == "mmap2" || name == "mprotect" || name == "pkey_mprotect")
            clause = "a2 & 4"; // PROT_EXEC
        text += name + " " + clause + (clause.empty() || login.empty() ? "" : " && ") + login + "\n";
    }
    return text;
}

namespace {
std::optional<ebpf_loader::Offsets> given_offsets;
}

void use_offsets(const ebpf_loader::Offsets& offsets) {
    given_offsets = offsets;
}

ebpf_loader::EngineOptions engine_options(ebpf_loader::Tier tier) {
    ebpf_loader::EngineOptions options;
    options.tier = tier;
    options.offsets = given_offsets;
    options.witness = false; // the cases say what comes without; see witness_test.cpp
    return options;
}

bool can_miss_runs(ebpf_loader::Tier tier) {
    return tier != ebpf_loader::Tier::tp && ebpf_loader::probe_kernel().raw_tracepoints_preempted;
}

Session::Session(ebpf_loader::Tier tier, const std::vector<const Case*>& cases) : tier_(tier) {
    try {
        // Where a task of the system's makes the kernel skip a program, nothing is shown.
        constexpr int most_attempts = 5;
        const bool may_miss = can_miss_runs(tier);
        for (int attempt = 1; attempt == 1 || (may_miss && missed_runs_ > 0 && attempt <= most_attempts);
             attempt++)
            run_all(cases);
    } catch (const std::exception& error) {
        error_ = error.what();
    }
}

void Session::run_all(const std::vector<const Case*>& cases) {
    runs_.clear();
    const auto rules = telemetry::Rules::parse(session_rules(), "rules of the test");
    ebpf_loader::Engine engine(rules.compile(), engine_options(tier_));
    offsets_source_ = engine.offsets().source;
    for (const auto& verdict : engine.verdicts())
        if (verdict.chosen)
            verified_ = verdict.verified_instructions;
    Collector collector(engine);
    const TestFolder folder(base_folder());
    engine.start();
    for (const Case* test : cases)
        run_case(*test, runs_[test->name], collector);
    collector.finish();
    problems_ = collector.problems();
    missed_runs_ = collector.stats().missed_runs;
    events_ = collector.take_events();
    distribute(events_, runs_);
}

const CaseRun* Session::run(const std::string& name) const {
    const auto found = runs_.find(name);
    return found == runs_.end() ? nullptr : &found->second;
}

} // namespace kernel_test

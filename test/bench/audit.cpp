// SPDX-License-Identifier: MIT
#include "test/bench/audit.hpp"

#include "test/bench/output_file.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr const char* key = "ebt-bench";

/// A number of `auditctl -s`: "pid 0".
long audit_status(const std::string& name) {
    std::istringstream lines(run({"auditctl", "-s"}));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + " "))
            return std::stol(line.substr(name.size() + 1));
    throw std::runtime_error("auditctl -s does not tell " + name);
}

/// One daemon for all pairs; rules come and go. Between pairs new processes are marked as none of
/// audit's: the kernel gives them its slow path as soon as audit was ever on.
class Auditd : public Subject {
  public:
    explicit Auditd(const Settings& settings);
    ~Auditd() override;
    void on() override;
    Outcome off() override;

  private:
    void write_config() const;
    static void control(const Command& words);
    uint64_t cpu() const { return cpu_ns(daemon_->pid()) + kernel_thread_ns(); }
    static pid_t kernel_thread();
    static uint64_t kernel_thread_ns();

    std::string folder_;
    std::optional<OutputFile> log_;
    std::optional<Process> daemon_;
    uint64_t cpu_before_ = 0;
    long lost_before_ = 0;
};

Auditd::Auditd(const Settings& settings) : folder_(settings.scratch + "/audit") {
    std::filesystem::create_directories(folder_);
    write_config();
    log_.emplace(folder_ + "/audit.log", "type=SYSCALL");
    daemon_.emplace(Command{"auditd", "-n", "-s", "disable", "-c", folder_},
                    Streams{.dialogue = false, .output = "", .errors = folder_ + "/errors"});
    const auto end = std::chrono::steady_clock::now() + milliseconds(5000);
    while (audit_status("pid") != daemon_->pid()) {
        if (!daemon_->is_running() || std::chrono::steady_clock::now() > end)
            throw std::runtime_error("auditd does not start here");
        std::this_thread::sleep_for(milliseconds(20));
    }
    control({"-b", "8192"});
    off();
}

Auditd::~Auditd() {
    off();
    daemon_->end(SIGTERM, milliseconds(5000));
}

void Auditd::write_config() const {
    std::ofstream config(folder_ + "/auditd.conf");
    config << "log_file = " << folder_ << "/audit.log\n"
           << "log_format = RAW\nflush = INCREMENTAL_ASYNC\nfreq = 50\n"
           << "max_log_file_action = IGNORE\nspace_left = 2\nspace_left_action = IGNORE\n"
           << "admin_space_left = 1\nadmin_space_left_action = IGNORE\n"
           << "disk_full_action = IGNORE\ndisk_error_action = IGNORE\n";
}

void Auditd::control(const Command& words) {
    Command command = {"auditctl"};
    command.insert(command.end(), words.begin(), words.end());
    if (run_status(command))
        throw std::runtime_error(joined(command) + " failed");
}

pid_t Auditd::kernel_thread() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "comm");
        if (std::string name; std::getline(file, name) && name == "kauditd")
            return std::stoi(entry.path().filename());
    }
    return -1;
}

uint64_t Auditd::kernel_thread_ns() {
    static const pid_t pid = kernel_thread();
    return pid > 0 ? cpu_ns(pid) : 0;
}

void Auditd::on() {
    control({"-D"});
    const auto rule = [](const Command& what) {
        Command words = {"-a", "always,exit", "-F", "arch=b64"};
        words.insert(words.end(), what.begin(), what.end());
        words.insert(words.end(), {"-k", key});
        control(words);
    };
    rule({"-S", "openat", "-F", "a2&0x243"});
    rule({"-S", "unlink,connect,execve,exit_group"});
    control({"-e", "1"});
    cpu_before_ = cpu();
    lost_before_ = audit_status("lost");
}

Outcome Auditd::off() {
    control({"-D"});
    control({"-a", "task,never"});
    control({"-e", "0"});
    // What is queued is still to come.
    for (int i = 0; i < 100 && audit_status("backlog") > 0; i++)
        std::this_thread::sleep_for(milliseconds(20));
    Outcome outcome;
    outcome.cpu_ns = cpu() - cpu_before_;
    outcome.peak_memory = peak_memory(daemon_->pid());
    const OutputFile::Count count = log_->take_so_far();
    outcome.counts = {{"delivered", count.marked}, {"lines", count.lines}, {"output_bytes", count.bytes}};
    outcome.counts["lost.backlog"] = static_cast<uint64_t>(audit_status("lost") - lost_before_);
    return outcome;
}

std::string why_absent() {
    if (which("auditd").empty() || which("auditctl").empty())
        return "auditd is not installed";
    try {
        if (audit_status("pid") != 0 || audit_status("enabled") != 0)
            return "this host uses the kernel's audit itself: left alone";
        // But for the one that an earlier run of ours left.
        const std::string rules = run({"auditctl", "-l"});
        if (rules.find("-") != std::string::npos && rules != "-a never,task\n")
            return "there are audit rules: left alone";
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

} // namespace

Candidate audit_candidate(const Settings& settings) {
    return {.name = "auditd",
            .about = "auditctl rules for the same calls, the daemon writing to a file",
            .group = Group::rival,
            .absent = why_absent(),
            .make = [&settings] { return std::make_unique<Auditd>(settings); }};
}

} // namespace bench

// SPDX-License-Identifier: MIT
// Parts of long lines arrive whole at the daemons that people have, as they are by default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "telemetry/sink/syslog.hpp"
#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;

namespace {

/// A daemon in the foreground; it ends with this.
class Daemon {
  public:
    /// `before` is called in the child; false: it cannot be.
    template <typename Before> Daemon(const std::vector<std::string>& arguments, const Before& before) {
        pid_ = fork();
        if (pid_ != 0)
            return;
        std::vector<char*> pointers;
        for (const std::string& argument : arguments)
            pointers.push_back(const_cast<char*>(argument.c_str()));
        pointers.push_back(nullptr);
        freopen("/dev/null", "w", stdout);
        freopen("/dev/null", "w", stderr);
        if (before())
            execv(pointers.front(), pointers.data());
        _exit(126);
    }
    ~Daemon() { end(); }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    pid_t pid() const { return pid_; }
    void end() {
        if (pid_ <= 0)
            return;
        kill(pid_, SIGTERM);
        waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

  private:
    pid_t pid_ = -1;
};

bool is_there(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

/// Lines around every limit that a daemon may have.
std::vector<std::string> long_lines() {
    std::vector<std::string> lines;
    for (const size_t length : {100U, 7900U, 8000U, 8096U, 8192U, 16'000U, 30'000U, 100'000U}) {
        std::string line = "length=" + std::to_string(length) + " ";
        while (line.size() < length)
            line += "żółw" + std::to_string(line.size()) + "-";
        lines.push_back(line + " end");
    }
    return lines;
}

/// Joins the parts as docs/output.md says.
std::vector<std::string> joined(const std::vector<std::string>& messages) {
    std::vector<std::string> lines;
    for (const std::string& message : messages) {
        if (!message.starts_with("part=")) {
            lines.push_back(message);
            continue;
        }
        if (message.starts_with("part=1/"))
            lines.emplace_back();
        const size_t text = message.find(' ', message.find(" line=") + 1);
        lines.back() += message.substr(text + 1);
    }
    return lines;
}

void send(const std::string& socket, const std::vector<std::string>& lines) {
    SyslogOptions options;
    options.socket = socket;
    const auto sink = make_syslog_sink(options);
    for (const std::string& line : lines)
        sink->write(line + "\n", 1);
    EXPECT_EQ(sink->lost(), 0U) << sink->error();
}

} // namespace

TEST(SyslogDaemons, RsyslogGetsPartsWhole) {
    const std::string program = "/usr/sbin/rsyslogd";
    if (!is_there(program))
        GTEST_SKIP() << "SyslogDaemons.RsyslogGetsPartsWhole: there is no rsyslogd";
    const TemporaryFolder folder;
    const std::string socket = folder.path() + "/log", log = folder.path() + "/messages";
    std::ofstream(folder.path() + "/conf")
        << "module(load=\"imuxsock\" SysSock.Use=\"off\")\n"
        << "input(type=\"imuxsock\" Socket=\"" << socket << "\" CreatePath=\"on\" RateLimit.Interval=\"0\")\n"
        << "template(name=\"text\" type=\"string\" string=\"%msg%\\n\")\n"
        << "*.* action(type=\"omfile\" file=\"" << log << "\" template=\"text\")\n";
    Daemon daemon({program, "-n", "-f", folder.path() + "/conf", "-i", folder.path() + "/pid"},
                  [] { return true; });
    ASSERT_TRUE(eventually([&] { return is_there(socket); }));
    const auto lines = long_lines();
    send(socket, lines);
    send(socket, {"the last"});
    ASSERT_TRUE(eventually([&] { return contents(log).find("the last") != std::string::npos; }));
    std::vector<std::string> messages;
    for (const std::string& line : lines_of(contents(log))) {
        const std::string message =
            line.substr(line.starts_with(' '), line.size() - 1 - line.starts_with(' '));
        // rsyslog itself says that it has started
        if (message.starts_with("length=") || message.starts_with("part="))
            messages.push_back(message);
    }
    EXPECT_EQ(joined(messages), lines);
}

/// In a mount namespace, where /run is its own.
TEST(SyslogDaemons, JournaldGetsPartsWhole) {
    const std::string program = "/lib/systemd/systemd-journald";
    if (!is_there(program) || !is_there("/usr/bin/journalctl") || geteuid() != 0)
        GTEST_SKIP() << "SyslogDaemons.JournaldGetsPartsWhole: there is no systemd-journald, or no root";
    Daemon daemon({program}, [] {
        return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               mount("none", "/run", "tmpfs", 0, "") == 0 && mkdir("/run/systemd", 0755) == 0 &&
               mkdir("/run/systemd/journal", 0755) == 0 && mkdir("/run/log", 0755) == 0 &&
               mkdir("/run/log/journal", 0755) == 0;
    });
    const std::string run = "/proc/" + std::to_string(daemon.pid()) + "/root/run";
    const std::string socket = run + "/systemd/journal/dev-log";
    if (!eventually([&] { return is_there(socket); }, 5s))
        GTEST_SKIP() << "SyslogDaemons.JournaldGetsPartsWhole: systemd-journald does not start here";
    const auto lines = long_lines();
    send(socket, lines);
    std::vector<std::string> messages;
    const auto has_all = [&] {
        messages.clear();
        const std::string command =
            "journalctl -q -a -o cat -t ebpf-telemetry --directory=" + run + "/log/journal 2>/dev/null";
        FILE* const output = popen(command.c_str(), "r");
        std::string text;
        char part[65536];
        for (size_t got; output && (got = fread(part, 1, sizeof part, output)) > 0;)
            text.append(part, got);
        if (output)
            pclose(output);
        for (const std::string& line : lines_of(text))
            messages.push_back(line.substr(0, line.size() - 1));
        return !messages.empty() && messages.back().ends_with(" end") &&
               joined(messages).size() == lines.size();
    };
    EXPECT_TRUE(eventually(has_all));
    EXPECT_EQ(joined(messages), lines);
}

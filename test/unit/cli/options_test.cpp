// SPDX-License-Identifier: MIT
#include "telemetry/cli/options.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include <ebpf_loader/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/support/destinations.hpp"

using namespace telemetry;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

Options parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "ebpf_telemetry");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

/// What is said of a command line that is refused.
std::string refusal(std::vector<const char*> arguments) {
    try {
        parse(std::move(arguments));
    } catch (const ebpf_loader::Error& error) {
        EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
        EXPECT_THAT(error.what(), HasSubstr("--help"));
        return error.what();
    }
    ADD_FAILURE() << "not refused";
    return {};
}

/// Standard output is something else for as long as it lives.
class StandardOutput {
  public:
    explicit StandardOutput(int other) : output_(dup(STDOUT_FILENO)) {
        fflush(stdout);
        dup2(other, STDOUT_FILENO);
        close(other);
    }
    ~StandardOutput() {
        fflush(stdout);
        dup2(output_, STDOUT_FILENO);
        close(output_);
    }
    StandardOutput(const StandardOutput&) = delete;

  private:
    int output_;
};

TEST(Options, ShowsTextOnTheScreenByDefault) {
    const StandardOutput nowhere(open("/dev/null", O_WRONLY));
    Options options = parse({});
    EXPECT_EQ(options.action, Options::Action::run);
    EXPECT_EQ(options.format->name, "text");
    EXPECT_TRUE(has(options, screen_sink));
    EXPECT_FALSE(has(options, syslog_sink) || options.silent || options.any_release);
    EXPECT_TRUE(targets(options, file_sink).empty());
    EXPECT_FALSE(options.rules || options.config || options.vmlinux || options.tier);
    EXPECT_FALSE(options.duration || options.stats_every);
    EXPECT_EQ(options.buffer_bytes, 0u);
    EXPECT_EQ(options.log_level, LogLevel::info);
}

TEST(Options, ReadsEveryOption) {
    Options options = parse({"-r",
                             "my.rules",
                             "-c",
                             "my.conf",
                             "-f",
                             "json",
                             "-o",
                             "a",
                             "-o",
                             "b",
                             "-s",
                             "--any-release",
                             "--tier",
                             "raw_tp_noloops",
                             "--buffer-size",
                             "8M",
                             "--stats",
                             "2",
                             "--duration",
                             "1.5",
                             "--log-level",
                             "warning"});
    EXPECT_EQ(options.rules, "my.rules");
    EXPECT_EQ(options.config, "my.conf");
    EXPECT_EQ(options.format->name, "json");
    EXPECT_EQ(targets(options, file_sink), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(has(options, screen_sink));
    EXPECT_TRUE(has(options, syslog_sink) && options.any_release);
    EXPECT_EQ(options.tier, ebpf_loader::Tier::raw_tp_noloops);
    EXPECT_EQ(options.buffer_bytes, 8u << 20);
    EXPECT_EQ(options.stats_every, 2000ms);
    EXPECT_EQ(options.duration, 1500ms);
    EXPECT_EQ(options.log_level, LogLevel::warning);
    EXPECT_FALSE(options.ends_when_tampered);
    EXPECT_TRUE(parse({"--on-tampering", "end"}).ends_when_tampered);
    EXPECT_FALSE(parse({"--on-tampering", "repair"}).ends_when_tampered);
    EXPECT_EQ(parse({"--vmlinux", "image"}).vmlinux, "image");
}

TEST(Options, QuietsTheScreenAsItAlwaysDid) {
    EXPECT_FALSE(has(parse({"-q"}), screen_sink));
    EXPECT_FALSE(parse({"-q"}).silent);
    EXPECT_FALSE(has(parse({"-Q"}), screen_sink));
    EXPECT_TRUE(parse({"-Q"}).silent);
    EXPECT_TRUE(has(parse({"-s"}), screen_sink)) << "syslog comes in addition";
    Options both = parse({"-sq"});
    EXPECT_TRUE(has(both, syslog_sink));
    EXPECT_FALSE(has(both, screen_sink));
}

TEST(Options, TakesTheScreenAsAFile) {
    EXPECT_FALSE(has(parse({"-o", "file"}), screen_sink));
    EXPECT_TRUE(has(parse({"-o", "-"}), screen_sink));
    Options both = parse({"-o", "file", "-o", "-"});
    EXPECT_TRUE(has(both, screen_sink));
    EXPECT_EQ(targets(both, file_sink), std::vector<std::string>{"file"});
    EXPECT_THAT(refusal({"-q", "-o", "-"}), HasSubstr("-o -"));
    EXPECT_THAT(refusal({"-Q", "-o", "-"}), HasSubstr("-o -"));
    EXPECT_THAT(refusal({"-o", ""}), HasSubstr("--output"));
}

TEST(Options, KnowsWhatToDoInsteadOfARun) {
    EXPECT_EQ(parse({"--help"}).action, Options::Action::help);
    EXPECT_EQ(parse({"-h"}).action, Options::Action::help);
    EXPECT_EQ(parse({"--version"}).action, Options::Action::version);
    EXPECT_EQ(parse({"-V"}).action, Options::Action::version);
    EXPECT_EQ(parse({"--probe", "-f", "json"}).action, Options::Action::probe);
    EXPECT_EQ(parse({"--check", "-r", "x"}).action, Options::Action::check);
    EXPECT_EQ(parse({"--list-syscalls"}).action, Options::Action::list_syscalls);
    EXPECT_EQ(parse({"--explain"}).action, Options::Action::explain);
}

TEST(Options, ReadsSizes) {
    EXPECT_EQ(parse({"--buffer-size", "4096"}).buffer_bytes, 4096u);
    EXPECT_EQ(parse({"--buffer-size", "64K"}).buffer_bytes, 65536u);
    EXPECT_EQ(parse({"--buffer-size", "1G"}).buffer_bytes, size_t{1} << 30);
    for (const char* bad :
         {"", "0", "x", "-1", "8MB", "8 M", "M", "1.5M", "99999999999999999999", "99999999999G"})
        EXPECT_THAT(refusal({"--buffer-size", bad}), HasSubstr("--buffer-size")) << bad;
}

TEST(Options, ReadsSeconds) {
    for (const char* name : {"--duration", "--stats"})
        for (const char* bad : {"0", "-1", "nan", "inf", "1e300", "x", ""})
            EXPECT_THAT(refusal({name, bad}), HasSubstr(name + 2)) << bad;
}

TEST(Options, ReadsLimits) {
    const Options none = parse({});
    EXPECT_EQ(none.events_per_process, 0u);
    EXPECT_EQ(none.max_cpu, 0u);
    EXPECT_EQ(none.max_memory, 0u);
    EXPECT_EQ(none.nice, -10);
    EXPECT_EQ(parse({"--max-events-per-process", "1"}).events_per_process, 1u);
    EXPECT_EQ(parse({"--max-events-per-process", "100000000"}).events_per_process, 100'000'000u);
    EXPECT_EQ(parse({"--max-cpu", "1"}).max_cpu, 1u);
    EXPECT_EQ(parse({"--max-cpu", "150"}).max_cpu, 150u);
    EXPECT_EQ(parse({"--max-memory", "64"}).max_memory, size_t{64} << 20);
    EXPECT_EQ(parse({"--max-memory", "1048576"}).max_memory, size_t{1} << 40);
    EXPECT_EQ(parse({"--nice", "-20"}).nice, -20);
    EXPECT_EQ(parse({"--nice", "19"}).nice, 19);
    for (const char* option : {"--max-events-per-process", "--max-cpu", "--max-memory"})
        for (const char* bad : {"", "0", "-1", "x", "1.5", "5%", "64M", " 5", "5 ", "99999999999999999999"})
            EXPECT_THAT(refusal({option, bad}), HasSubstr(option)) << bad;
    EXPECT_THAT(refusal({"--max-events-per-process", "100000001"}), HasSubstr("from 1 to 100000000"));
    EXPECT_THAT(refusal({"--max-cpu", "100001"}), HasSubstr("from 1 to 100000"));
    EXPECT_THAT(refusal({"--max-memory", "1048577"}), HasSubstr("from 1 to 1048576"));
    EXPECT_THAT(refusal({"--on-tampering", "ignore"}), HasSubstr("repair or end"));
    for (const char* bad : {"-21", "20", "x", ""})
        EXPECT_THAT(refusal({"--nice", bad}), HasSubstr("nice")) << bad;
}

TEST(Options, RefusesWhatItDoesNotKnow) {
    EXPECT_THAT(refusal({"--no-such"}), HasSubstr("no-such"));
    EXPECT_THAT(refusal({"-x"}), HasSubstr("-x"));
    EXPECT_THAT(refusal({"word"}), HasSubstr("positional"));
    EXPECT_THAT(refusal({"--qui"}), HasSubstr("qui")) << "no guessing";
    EXPECT_THAT(refusal({"-r"}), HasSubstr("rules"));
    EXPECT_THAT(refusal({"-f", "xml"}), HasSubstr("xml"));
    EXPECT_THAT(refusal({"--tier", "best"}), HasSubstr("best"));
    EXPECT_THAT(refusal({"--log-level", "loud"}), HasSubstr("loud"));
    EXPECT_THAT(refusal({"-c", "a", "--vmlinux", "b"}), HasSubstr("--vmlinux"));
    EXPECT_THAT(refusal({"-f", "text", "-f", "json"}), HasSubstr("format"));
    EXPECT_THAT(refusal({"-f", "json", "--fields", "fewer"}), HasSubstr("full, rules, compact"));
    EXPECT_THAT(refusal({"--fields", "rules"}), HasSubstr("-f json"));
    EXPECT_THAT(refusal({"--colour", "red"}), HasSubstr("red"));
}

TEST(Options, ATerminalShowsBriefUnlessAFormatIsNamed) {
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_EQ(grantpt(master) | unlockpt(master), 0);
    const StandardOutput terminal(open(ptsname(master), O_RDWR | O_NOCTTY));
    EXPECT_EQ(parse({}).format->name, "brief");
    EXPECT_TRUE(parse({}).colour);
    EXPECT_FALSE(parse({"--colour", "never"}).colour);
    EXPECT_EQ(parse({"-f", "text"}).format->name, "text");
    EXPECT_EQ(parse({"-o", "file"}).format->name, "text");
    EXPECT_EQ(parse({"-o", "file", "-o", "-"}).format->name, "text"); // both get the same
    EXPECT_EQ(parse({"-s", "-q"}).format->name, "text");
    EXPECT_FALSE(parse({"-o", "file", "-f", "brief"}).colour);
    setenv("NO_COLOR", "1", 1);
    EXPECT_FALSE(parse({}).colour);
    EXPECT_TRUE(parse({"--colour", "always"}).colour);
    unsetenv("NO_COLOR");
    close(master);
}

TEST(Options, ExplainsEveryOption) {
    std::string help = help_text();
    for (const char* option :
         {"--rules",       "--format",        "--output",      "--syslog",
          "--quiet",       "--very-quiet",    "--config",      "--vmlinux",
          "--any-release", "--tier",          "--buffer-size", "--max-events-per-process",
          "--fields",      "--colour",        "--no-witness",  "--no-lineage",
          "--max-line",    "--max-cpu",       "--max-memory",  "--nice",
          "--duration",    "--stats",         "--log-level",   "--check",
          "--probe",       "--list-syscalls", "--help",        "--hash",
          "--explain",     "--version"})
        EXPECT_THAT(help, HasSubstr(option));
    EXPECT_THAT(help, HasSubstr("Examples:"));
    EXPECT_THAT(help, HasSubstr("Exit status:"));
    EXPECT_THAT(version_text(), testing::MatchesRegex("ebpf_telemetry [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

} // namespace

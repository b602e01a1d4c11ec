// SPDX-License-Identifier: MIT
// The files of rules/: what they select, and what README.md there says of them.
#include <fstream>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>

#include "test/unit/rules/support.hpp"

namespace rules_test {
namespace {

std::string contents(const std::string& file) {
    std::ifstream in(SOURCE_DIR "/rules/" + file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

Rules file(const std::string& name) {
    const std::string text = contents(name);
    EXPECT_FALSE(text.empty()) << name;
    return Rules::parse(text, name);
}

Event file_event(std::string_view call, const char* path, std::initializer_list<uint64_t> args = {},
                 int64_t ret = 0) {
    Event event = event_of(call);
    std::copy(args.begin(), args.end(), event.args.begin());
    event.ret = ret;
    add_path(event, path);
    return event;
}

TEST(RulesFiles, AreSound) {
    for (const char* name : {"syscalls.rules", "minimal.rules", "forensic.rules"}) {
        const Rules rules = file(name);
        EXPECT_EQ(rules.warnings(), std::vector<std::string>{}) << name;
        for (const char* call : {"execve", "execveat", "connect", "listen"})
            EXPECT_TRUE(rules.matches(event_of(call))) << name << ": " << call;
        EXPECT_TRUE(rules.matches(process_event(EBT_ROW_FORK))) << name;
        EXPECT_TRUE(rules.matches(process_event(EBT_ROW_EXIT))) << name;
        EXPECT_FALSE(rules.matches(event_of("getpid"))) << name;
        EXPECT_FALSE(rules.matches(event_of("read"))) << name;
    }
}

TEST(RulesFiles, EachHasMoreThanTheOneBefore) {
    const Event opened = file_event("openat", "/etc/cron.d/x", {0, 0, O_WRONLY});
    const Event elsewhere = file_event("openat", "/home/user/notes", {0, 0, O_RDONLY});
    EXPECT_FALSE(file("minimal.rules").matches(opened));
    EXPECT_TRUE(file("syscalls.rules").matches(opened));
    EXPECT_FALSE(file("syscalls.rules").matches(elsewhere));
    EXPECT_TRUE(file("forensic.rules").matches(elsewhere));
}

TEST(RulesFiles, KeysAreDocumented) {
    const std::string readme = contents("README.md");
    for (const char* name : {"syscalls.rules", "minimal.rules", "forensic.rules"}) {
        std::istringstream words(contents(name));
        for (std::string word; words >> word;)
            if (word == "key" && words >> word && word.starts_with("T")) {
                EXPECT_NE(readme.find("`" + word + "`"), std::string::npos) << name << ": " << word;
            }
    }
}

/// The key of an event under the default rules; "-" where none selects it.
std::string key(const Event& event) {
    static const Rules rules = file("syscalls.rules");
    return rules.matches(event) ? std::string(rules.key(event)) : "-";
}

TEST(RulesFiles, SecretsReadHaveTheirKeys) {
    const auto read = [](const char* path, int64_t ret = 3) {
        return key(file_event("openat", path, {0, 0, O_RDONLY}, ret));
    };
    EXPECT_EQ(read("/etc/shadow"), "T1003.008_shadow");
    EXPECT_EQ(read("/etc/gshadow", -EACCES), "T1003.008_shadow");
    EXPECT_EQ(read("/etc/gshadow", -ENOENT), "-") << "it is not there";
    EXPECT_EQ(read("/etc/sudoers.d/x"), "T1548.003_sudoers-read");
    EXPECT_EQ(read("/home/u/.ssh/id_rsa"), "T1552.004_keys");
    EXPECT_EQ(read("/home/u/.ssh/id_rsa.pub"), "-");
    EXPECT_EQ(read("/proc/17/mem"), "T1003.007_proc-mem");
    EXPECT_EQ(read("/proc/17/status"), "-");
    EXPECT_EQ(read("/etc/passwd"), "-");
}

TEST(RulesFiles, StartFilesOfHomesHaveTheirKeys) {
    const auto written = [](const char* path) { return key(file_event("openat", path, {0, 0, O_WRONLY})); };
    EXPECT_EQ(written("/home/u/.bashrc"), "T1546.004_shell");
    EXPECT_EQ(written("/root/.profile"), "T1546.004_shell");
    EXPECT_EQ(written("/home/u/.ssh/authorized_keys"), "T1098.004_ssh-keys");
    EXPECT_EQ(written("/home/u/.config/autostart/x.desktop"), "T1547.013_autostart");
    EXPECT_EQ(written("/home/u/notes"), "-");
    EXPECT_EQ(key(file_event("rename", "/home/u/.bashrc")), "T1546.004_shell");
}

TEST(RulesFiles, LogsMayGrowButNotVanish) {
    EXPECT_EQ(key(file_event("openat", "/var/log/syslog", {0, 0, O_WRONLY | O_APPEND | O_CREAT})), "-");
    EXPECT_EQ(key(file_event("openat", "/var/log/syslog", {0, 0, O_WRONLY | O_TRUNC})), "T1070.002_logs");
    EXPECT_EQ(key(file_event("unlink", "/var/log/syslog")), "T1070.002_logs");
    EXPECT_EQ(key(file_event("truncate", "/var/log/syslog")), "T1070.002_logs");
    EXPECT_EQ(key(file_event("unlink", "/home/u/.bash_history")), "T1070.003_history");
}

TEST(RulesFiles, AttributesOfProgramsAndKeysHaveTheirKeys) {
    EXPECT_EQ(key(file_event("chmod", "/tmp/x", {0, 0755})), "T1222.002_temporary");
    EXPECT_EQ(key(file_event("chmod", "/tmp/x", {0, 0644})), "-");
    EXPECT_EQ(key(file_event("chmod", "/home/u/x", {0, 0755})), "-");
    EXPECT_EQ(key(file_event("chmod", "/home/u/x", {0, S_ISUID | 0755})), "T1548.001_set-id");
    EXPECT_EQ(key(file_event("setxattr", "/home/u/x")), "T1548.001_attribute");
    EXPECT_EQ(key(file_event("setxattr", "/sys/fs/cgroup/x")), "-");
    EXPECT_EQ(key(file_event("utimensat", "/usr/bin/x")), "T1070.006_times");
    EXPECT_EQ(key(file_event("utimensat", "/home/u/.ssh/authorized_keys")), "T1070.006_times");
    EXPECT_EQ(key(file_event("utimensat", "/home/u/x")), "-");
    EXPECT_EQ(key(file_event("truncate", "/usr/bin/x")), "T1554_programs");
}

TEST(RulesFiles, AFailedModuleLoadIsReportedThoughItsTextWasNeverRead) {
    Event event = event_of("init_module");
    event.ret = -EPERM;
    EXPECT_EQ(key(event), "T1547.006_module");
}

TEST(RulesFiles, ConnectsToADaemonThatIsNotThereAreNoEvents) {
    Event event = event_of("connect");
    event.ret = -ENOENT;
    EXPECT_EQ(key(event), "-");
    event.ret = -ECONNREFUSED;
    EXPECT_EQ(key(event), "");
}

} // namespace
} // namespace rules_test

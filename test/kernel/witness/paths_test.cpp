// SPDX-License-Identifier: MIT
// Paths that the kernel acted on, from kprobes where it has them: right for every spelling, and
// of an exec both the script and its interpreter.
#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/spelling.hpp"
#include "test/kernel/witness/support.hpp"

namespace kernel_test {

namespace {

using telemetry::Source;

class EverySpelling : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    static constexpr const char* calls[] = {"creat",       "chmod",   "chown",  "truncate", "setxattr",
                                            "removexattr", "rename",  "link",   "unlink",   "mkdir",
                                            "rmdir",       "symlink", "mknodat"};

    void TestBody() override {
        const WitnessFolder folder;
        const std::string file = folder / "f", other = folder / "g";
        mkdir((folder / "sub").c_str(), 0700);
        std::vector<std::string> spellings = {file,
                                              "/" + file,
                                              folder / "./f",
                                              folder / "sub/../f",
                                              "/proc/self/root" + file,
                                              "/proc/self/cwd/f",
                                              "f",
                                              "./f",
                                              "sub/..//f"};
        if (std::error_code error; std::filesystem::equivalent("/proc/1/root", "/", error))
            spellings.push_back("/proc/1/root" + file);
        std::string rules;
        for (const char* call : calls)
            rules.append(name_here(call)).append("\n");
        const auto events = run(rules, [&] {
            if (chdir(folder.path.c_str()) != 0)
                _exit(1);
            for (const std::string& spelling : spellings) {
                const char* const path = spelling.c_str();
                const bool done =
                    close(creat(path, 0600)) == 0 && chmod(path, 0640) == 0 && chown(path, 1, 2) == 0 &&
                    truncate(path, 7) == 0 && setxattr(path, "trusted.a", "b", 1, 0) == 0 &&
                    removexattr(path, "trusted.a") == 0 && rename(path, "g") == 0 && link("g", path) == 0 &&
                    unlink(path) == 0 && mkdir(path, 0700) == 0 && rmdir(path) == 0 &&
                    symlink("g", path) == 0 && unlink(path) == 0 &&
                    mknodat(AT_FDCWD, path, S_IFIFO | 0600, 0) == 0 && unlink(path) == 0 && unlink("g") == 0;
                if (!done)
                    _exit(2);
            }
        });
        ASSERT_EQ(events.size(), std::size(spellings) * 16);
        for (const OwnedEvent& event : events)
            check(*event, file, other);
    }

    void check(const telemetry::Event& event, const std::string& file, const std::string& other) const {
        EXPECT_FALSE(event.lost_fields);
        for (uint8_t i = 0; i < event.paths; i++) {
            const telemetry::PathField& path = event.path[i];
            if (event.call->argument[path.argument].kind == ebpf_loader::ArgKind::path_text)
                continue;
            EXPECT_TRUE(path.known());
            if (event.call->name == name_here("creat")) { // what its descriptor leads to
                EXPECT_EQ(path.bytes, file);
                continue;
            }
            if (!witnessed_) {
                EXPECT_EQ(path.source, Source::user_memory);
                continue;
            }
            EXPECT_EQ(path.source, Source::kernel) << event.call->name;
            EXPECT_TRUE(path.bytes == file || path.bytes == other) << event.call->name << ": " << path.bytes;
            ASSERT_NE(event.witnessed, nullptr);
            EXPECT_NE(event.witnessed->called[i].bytes, path.bytes);
        }
        EXPECT_FALSE(event.unwitnessed) << event.call->name;
    }
};

class Script : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    void TestBody() override {
        const WitnessFolder folder;
        const std::string script = folder / "script", link = folder / "link";
        const std::string program = std::filesystem::canonical("/bin/sh").string();
        std::ofstream(script) << "#!/bin/sh\nexit 0\n";
        chmod(script.c_str(), 0755);
        ASSERT_EQ(symlink("script", link.c_str()), 0);
        const std::string rules = "execve path ^ " + folder.path + "\nprocess_exec";
        const auto events = run(rules, [&] {
            execl(link.c_str(), "link", nullptr);
            _exit(1);
        });
        ASSERT_EQ(events.size(), 2u);
        for (const OwnedEvent& event : events) {
            if (!witnessed_)
                continue;
            ASSERT_EQ(event->paths, 1);
            EXPECT_EQ(event->path[0].bytes, script);
            ASSERT_NE(event->witnessed, nullptr);
            EXPECT_EQ(event->witnessed->interpreter.bytes, program);
            EXPECT_EQ(event->image.exe.bytes, program);
            EXPECT_TRUE(telemetry::Rules::parse(rules, "rules of the test").matches(*event));
        }
    }
};

/// A rule on `path` tests what the kernel acted on.
class RulesOnPaths : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    void TestBody() override {
        const WitnessFolder folder;
        const std::string file = folder / "f";
        const std::string rule = std::string(name_here("unlink")) + " path = " + file;
        const auto events = run(rule, [&] {
            close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
            const std::string link = folder / "link";
            const bool done = symlink(folder.path.c_str(), link.c_str()) == 0 &&
                              unlink((link + "/f").c_str()) == 0 && unlink((folder / "link").c_str()) == 0;
            _exit(!done);
        });
        const auto rules = telemetry::Rules::parse(rule, "rules of the test");
        ASSERT_EQ(events.size(), 2u);
        EXPECT_EQ(rules.matches(*events[0]), witnessed_);
        EXPECT_FALSE(rules.matches(*events[1]));
    }
};

/// What no rule needs is not attached.
class OnlyWhatIsAskedFor : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    void TestBody() override {
        using Functions = std::vector<std::string>;
        run("fchmodat", [] {});
        EXPECT_EQ(attached("getppid"), Functions{});
        if (!witnessed_)
            return;
        EXPECT_EQ(attached("connect"), Functions{"security_socket_connect"});
        EXPECT_EQ(attached("execve"), Functions{"security_bprm_check"});
        EXPECT_EQ(attached("mkdirat"), (Functions{"mnt_want_write", "security_inode_mkdir"}));
    }
};

} // namespace

void register_witness_path_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Witnesses." + std::string(tier_name(tier));
    add_test<EverySpelling>(suite, "EverySpelling", tier);
    add_test<Script>(suite, "Script", tier);
    add_test<RulesOnPaths>(suite, "RulesOnPaths", tier);
    add_test<OnlyWhatIsAskedFor>(suite, "OnlyWhatIsAskedFor", tier);
}

} // namespace kernel_test

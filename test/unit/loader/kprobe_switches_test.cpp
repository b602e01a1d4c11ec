// SPDX-License-Identifier: MIT
#include "loader/src/load/witness/kprobe_switches.hpp"

#include "test/unit/support/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

namespace ebpf_loader {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct KprobeSwitchesBelow : testing::Test {
    void write(const std::string& name, const char* text) const {
        const std::filesystem::path file = folder.path() + name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    TemporaryFolder folder;
    const std::string ftrace = "/proc/sys/kernel/ftrace_enabled", all = "/sys/kernel/debug/kprobes/enabled";
};

TEST_F(KprobeSwitchesBelow, WithoutThemNothingIsOff) {
    EXPECT_THAT(KprobeSwitches(folder.path()).off(), IsEmpty());
}

TEST_F(KprobeSwitchesBelow, ThatAreOffAreTurnedOn) {
    write(ftrace, "1\n");
    write(all, "1\n");
    const KprobeSwitches switches(folder.path());
    EXPECT_THAT(switches.off(), IsEmpty());
    write(all, "0\n");
    EXPECT_THAT(switches.off(), ElementsAre(folder.path() + all));
    EXPECT_TRUE(KprobeSwitches::turn_on(folder.path() + all));
    EXPECT_THAT(switches.off(), IsEmpty());
    write(ftrace, "0\n");
    EXPECT_THAT(switches.off(), ElementsAre(folder.path() + ftrace));
}

TEST_F(KprobeSwitchesBelow, ThatAreGoneSwitchNothing) {
    write(ftrace, "0\n");
    const KprobeSwitches switches(folder.path());
    std::filesystem::remove(folder.path() + ftrace);
    EXPECT_THAT(switches.off(), IsEmpty());
    EXPECT_FALSE(KprobeSwitches::turn_on(folder.path() + ftrace));
}

} // namespace
} // namespace ebpf_loader

// SPDX-License-Identifier: MIT
#include "telemetry/process/host_view.hpp"

#include <filesystem>
#include <fstream>

#include <ebpf_loader/error.hpp>
#include <gmock/gmock.h>

#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

/// Folders that look like a machine's /proc and /.
struct HostViewTest : testing::Test {
    HostViewTest() { std::filesystem::create_directories(machine + "/etc"); }

    void add_process(int pid, unsigned long flags) const {
        const std::string process = proc + "/" + std::to_string(pid);
        std::filesystem::create_directories(process);
        std::ofstream(process + "/stat")
            << pid << " (kthreadd) S 0 0 0 0 -1 " << flags << " 0 0 0 0 0 1 0 0 20 0 1 0 5 0 0\n";
    }
    /// The machine's first process, with that root.
    void add_first() const {
        add_process(1, 0x400100);
        std::filesystem::create_directory_symlink(machine, proc + "/1/root");
    }
    std::string refusal(const HostView& view) const {
        try {
            require_host_view(view);
        } catch (const ebpf_loader::Error& error) {
            EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
            return error.what();
        }
        return "";
    }

    TemporaryFolder folder;
    const std::string proc = folder.path() + "/proc", machine = folder.path() + "/machine";
    static constexpr unsigned long kernel_thread = 0x208040;
};

TEST_F(HostViewTest, LacksNothingOnTheMachineItself) {
    add_first();
    add_process(2, kernel_thread);
    EXPECT_THAT(missing_of_host({proc, machine}), IsEmpty());
}

TEST_F(HostViewTest, SaysThatProcessesAreThoseOfANamespace) {
    add_first();
    EXPECT_THAT(missing_of_host({proc, machine}), ElementsAre(HasSubstr("hostPID: true"))) << "no process 2";
    add_process(2, 0x400100);
    EXPECT_THAT(missing_of_host({proc, machine}), ElementsAre(HasSubstr("--host-proc"))) << "any process";
}

TEST_F(HostViewTest, SaysThatFilesAreAContainers) {
    add_first();
    add_process(2, kernel_thread);
    std::filesystem::create_directories(folder.path() + "/container/etc");
    EXPECT_THAT(missing_of_host({proc, folder.path() + "/container"}), ElementsAre(HasSubstr("--host-root")));
    EXPECT_THAT(missing_of_host({proc, folder.path() + "/empty"}), ElementsAre(HasSubstr("--host-root")));
}

/// A first process of another user's, or a kernel that forbids to look.
TEST_F(HostViewTest, SaysNothingOfWhatItCannotKnow) {
    add_process(2, kernel_thread);
    EXPECT_THAT(missing_of_host({proc, folder.path() + "/empty"}), IsEmpty());
}

TEST_F(HostViewTest, RefusesWhatIsNotMounted) {
    EXPECT_THAT(refusal({proc, ""}), HasSubstr("no proc file system is mounted at '" + proc));
    EXPECT_THAT(refusal({"/proc", folder.path()}), HasSubstr("there is no folder " + folder.path() + "/etc"));
    EXPECT_EQ(refusal({"/proc/", machine}), "");
    EXPECT_EQ(refusal({"/proc", ""}), "");
}

} // namespace

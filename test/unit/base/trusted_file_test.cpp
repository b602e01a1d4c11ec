// SPDX-License-Identifier: MIT
#include "telemetry/base/trusted_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <ebpf_loader/error.hpp>

#include "test/unit/support/temporary_folder.hpp"

using testing::HasSubstr;

namespace {

struct TrustedFile : testing::Test {
    TrustedFile() {
        std::ofstream(path_) << "x\n";
        chmod(path_.c_str(), 0644);
        unsetenv("SUDO_UID");
    }
    ~TrustedFile() override { unsetenv("SUDO_UID"); }
    std::string refusal() const {
        try {
            telemetry::require_trusted(path_, "rules");
            return "";
        } catch (const ebpf_loader::Error& error) {
            EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
            return error.what();
        }
    }

    TemporaryFolder folder_;
    const std::string path_ = folder_.path() + "/rules";
};

TEST_F(TrustedFile, IsItsUsersOwn) {
    EXPECT_EQ(refusal(), "");
    chmod(path_.c_str(), 0664); // Debian gives each user a group
    EXPECT_EQ(refusal(), "");
}

TEST_F(TrustedFile, IsNotWhatAnyoneMayWriteTo) {
    chmod(path_.c_str(), 0646);
    EXPECT_THAT(refusal(), HasSubstr("chmod o-w " + path_));
    ASSERT_EQ(rename(path_.c_str(), (path_ + ".1").c_str()), 0);
    ASSERT_EQ(symlink((path_ + ".1").c_str(), path_.c_str()), 0);
    EXPECT_THAT(refusal(), HasSubstr("chmod o-w")) << "a link does not hide it";
}

TEST_F(TrustedFile, IsNotAStrangers) {
    if (chown(path_.c_str(), 4321, 4321) != 0)
        GTEST_SKIP() << "TrustedFile.IsNotAStrangers: needs root";
    EXPECT_THAT(refusal(), HasSubstr("belongs to user 4321"));
    setenv("SUDO_UID", "4321", 1);
    EXPECT_EQ(refusal(), "") << "who called sudo";
    setenv("SUDO_UID", "43210", 1);
    EXPECT_THAT(refusal(), HasSubstr("belongs to user 4321"));
    setenv("SUDO_UID", "4321x", 1);
    EXPECT_THAT(refusal(), HasSubstr("belongs to user 4321"));
}

TEST_F(TrustedFile, MayBeNoFileOrNotThere) {
    telemetry::require_trusted("/dev/null", "rules");
    telemetry::require_trusted(folder_.path() + "/none", "rules");
}

} // namespace

// SPDX-License-Identifier: MIT
#include "telemetry/process/account_names.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace std::chrono_literals;

TEST(AccountNames, ComeFromTheFilesAlone) {
    TemporaryFolder folder;
    const std::string passwd = folder.path() + "/passwd", group = folder.path() + "/group";
    std::ofstream(passwd) << "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\nother:x:1000:1::/"
                             ":\n:x:5:5\nbad\nbad:x:no:1\n";
    std::ofstream(group) << "wheel:x:10:ann\n";
    const AccountNames names(passwd, group);
    EXPECT_EQ(names.users(), 2U);
    EXPECT_EQ(names.user(0), "root");
    EXPECT_EQ(names.user(1000), "ann");
    EXPECT_EQ(names.user(5), "");
    EXPECT_EQ(names.group(10), "wheel");
    EXPECT_EQ(names.group(0), "");
    EXPECT_EQ(AccountNames("/nonexistent", "/nonexistent").users(), 0U);
}

TEST(AccountNames, TheirNumberIsBounded) {
    TemporaryFolder folder;
    std::ofstream passwd(folder.path() + "/passwd");
    for (int i = 0; i < 100'010; ++i)
        passwd << 'u' << i << ":x:" << i << ":0\n";
    passwd.close();
    EXPECT_EQ(AccountNames(folder.path() + "/passwd", "").users(), 100'000U);
}

TEST(AccountFiles, AreReadAgainWhenTheyChange) {
    TemporaryFolder folder;
    std::ofstream(folder.path() + "/passwd") << "ann:x:1000:1000\n";
    const AccountFiles files(folder.path(), 5ms);
    const uint64_t before = files.generation();
    EXPECT_EQ(files.names()->user(1000), "ann");
    const auto old = files.names();
    std::ofstream(folder.path() + "/new") << "beth:x:1000:1000\n";
    std::filesystem::rename(folder.path() + "/new", folder.path() + "/passwd");
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (files.generation() == before && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(1ms);
    EXPECT_GT(files.generation(), before);
    EXPECT_EQ(files.names()->user(1000), "beth");
    EXPECT_EQ(old->user(1000), "ann"); // who holds them keeps them
}

TEST(AccountFiles, EndAtOnce) {
    const auto begin = std::chrono::steady_clock::now();
    { const AccountFiles files("/nonexistent", 1h); }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

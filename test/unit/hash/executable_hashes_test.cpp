// SPDX-License-Identifier: MIT
#include "telemetry/hash/executable_hashes.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "test/unit/support/emulated.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

/// What the kernel would say of the file.
FileVersion version_of(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0)
        throw std::runtime_error("stat " + path);
    return {status.st_ino, static_cast<uint64_t>(status.st_size), status.st_ctim.tv_sec,
            static_cast<uint32_t>(status.st_ctim.tv_nsec),
            static_cast<uint32_t>(major(status.st_dev) << 20 | minor(status.st_dev))};
}

std::string sha256sum(const std::string& path) {
    const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(("sha256sum " + path).c_str(), "r"), pclose);
    char digits[65] = "";
    return output && fread(digits, 1, 64, output.get()) == 64 ? digits : "";
}

/// A process that waits until it is killed.
class Sleeper {
  public:
    explicit Sleeper(const std::string& program) : pid_(fork()) {
        if (pid_ == 0) {
            execl(program.c_str(), "sleep", "1000", nullptr);
            _exit(1);
        }
        // It executes it by now, or soon.
        const std::string link = "/proc/" + std::to_string(pid_) + "/exe";
        for (std::error_code error; std::filesystem::read_symlink(link, error) != program;)
            std::this_thread::sleep_for(1ms);
    }
    ~Sleeper() { end(); }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    void end() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        pid_ = -1;
    }
    Event event(const FileVersion& version) const {
        Event event;
        event.kind = EBT_EXEC;
        event.pid = static_cast<uint32_t>(pid_);
        const Procfs procfs;
        const auto stat = procfs.stat(event.pid);
        event.start_time_ns = stat ? procfs.nanoseconds(stat->start_ticks) : 0;
        event.time_ns = static_cast<uint64_t>(version.changed_s + 60) * 1'000'000'000;
        event.image.exe_version = version;
        return event;
    }

  private:
    pid_t pid_;
};

class ExecutableHashesTest : public testing::Test {
  protected:
    ExecutableHashesTest() {
        std::filesystem::copy("/bin/sleep", program);
        version = version_of(program);
        digest = sha256sum(program);
    }
    /// The event's hash, as soon as something has come of the question: on a busy machine that takes long,
    /// since the thread that hashes lets all others go first.
    static std::string answer(ExecutableHashes& hashes, const Event& event) {
        const auto all = [&] {
            const auto now = hashes.counters();
            return now.hashed + now.gone + now.refused + now.changed;
        };
        const uint64_t before = all();
        for (const auto begin = std::chrono::steady_clock::now();
             std::chrono::steady_clock::now() - begin < 60s;) {
            if (const std::string_view found = hashes.find(event); !found.empty() || all() != before)
                return std::string(found);
            std::this_thread::sleep_for(1ms);
        }
        ADD_FAILURE() << "no answer";
        return "";
    }

    TemporaryFolder folder;
    std::string program = folder.path() + "/program";
    FileVersion version;
    std::string digest;
};

TEST_F(ExecutableHashesTest, AreThereLater) {
    const Sleeper process(program);
    ExecutableHashes hashes("/proc");
    ASSERT_EQ(digest.size(), 64u);
    EXPECT_EQ(hashes.find(process.event(version)), "") << "no event waits";
    EXPECT_EQ(answer(hashes, process.event(version)), digest);
    // Of every process that executes the same.
    Sleeper other(program);
    Event event = other.event(version);
    EXPECT_EQ(hashes.find(event), digest);
    other.end();
    event.kind = EBT_EXIT;
    EXPECT_EQ(hashes.find(event), digest);
    EXPECT_EQ(hashes.counters().hashed, 1u);
    event.image.exe_version = {};
    EXPECT_EQ(hashes.find(event), "");
}

TEST_F(ExecutableHashesTest, AProcessThatIsGoneLeavesTheQuestionOpen) {
    Sleeper gone(program);
    const Event event = gone.event(version);
    gone.end();
    ExecutableHashes hashes("/proc");
    EXPECT_EQ(answer(hashes, event), "");
    EXPECT_EQ(hashes.counters().gone, 1u);
    EXPECT_EQ(hashes.find(event), "");
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(hashes.find(event), "");
    EXPECT_EQ(hashes.counters().gone, 1u) << "asked once";
    const Sleeper next(program);
    EXPECT_EQ(answer(hashes, next.event(version)), digest);
}

TEST_F(ExecutableHashesTest, AnotherFileIsNotTakenForIt) {
    const Sleeper process(program);
    ExecutableHashes hashes("/proc");
    FileVersion other = version; // it has executed something else since
    ++other.inode;
    EXPECT_EQ(answer(hashes, process.event(other)), "");
    EXPECT_EQ(hashes.counters().gone, 1u);
    other = version;
    ++other.size;
    EXPECT_EQ(answer(hashes, process.event(other)), "");
    other = version; // what is there now was written later
    other.changed_s -= 3600;
    EXPECT_EQ(answer(hashes, process.event(other)), "");
    EXPECT_EQ(hashes.counters().changed, 2u);
    EXPECT_EQ(hashes.find(process.event(other)), "") << "asked once";
    EXPECT_EQ(hashes.counters().hashed, 0u);
}

/// As malware does: which changes the inode's time and no content.
TEST_F(ExecutableHashesTest, AProgramMayHaveRemovedItself) {
    SKIP_EMULATED_WITHOUT(busy_executable, "/proc/self/exe that is executed, and so cannot be written to");
    const std::string copy = folder.path() + "/other";
    std::filesystem::copy(program, copy);
    std::this_thread::sleep_for(20ms);
    const Sleeper process(program);
    chmod(program.c_str(), 0700);
    const bool is_denied = [&] {
        std::ofstream file(program, std::ios::app);
        return !file.is_open();
    }();
    if (!is_denied)
        GTEST_SKIP() << "this kernel lets who is root write to what is executed";
    std::filesystem::remove(program);
    ExecutableHashes hashes("/proc");
    EXPECT_EQ(answer(hashes, process.event(version)), sha256sum(copy));
}

/// What was written right before may be written again without another time.
TEST_F(ExecutableHashesTest, OfANewFileIsThatProcesssAlone) {
    const Sleeper process(program), other(program);
    ExecutableHashes hashes("/proc");
    const auto soon = [&](Event event) {
        event.time_ns =
            static_cast<uint64_t>(version.changed_s) * 1'000'000'000 + version.changed_ns + 50'000'000;
        return event;
    };
    EXPECT_EQ(answer(hashes, soon(process.event(version))), digest);
    EXPECT_EQ(hashes.find(soon(other.event(version))), "");
    EXPECT_EQ(answer(hashes, soon(other.event(version))), digest);
    EXPECT_EQ(hashes.counters().hashed, 2u);
}

TEST_F(ExecutableHashesTest, HaveBounds) {
    const Sleeper process(program);
    ExecutableHashes::Limits limits;
    limits.file_bytes = 1000;
    ExecutableHashes small("/proc", limits);
    EXPECT_EQ(answer(small, process.event(version)), "");
    EXPECT_EQ(small.counters().refused, 1u);
    limits = {};
    limits.files = 8;
    limits.waiting = 2;
    limits.cpu = {.percent = 1, .at_once_ns = 0}; // slow, so that they wait
    ExecutableHashes few("/proc", limits);
    for (uint64_t i = 1; i <= 200; ++i) {
        FileVersion other = version;
        other.inode += i;
        few.find(process.event(other));
        EXPECT_LE(few.counters().remembered, 8u + 2 + 2);
    }
    EXPECT_GT(few.counters().given_up, 0u);
} // and the end does not wait for what is left

TEST(CpuShare, IsKept) {
    CpuShare share({.percent = 10, .at_once_ns = 100});
    EXPECT_EQ(share.wait_ns(100, 1000), 0u); // what may be used at once
    EXPECT_EQ(share.wait_ns(150, 1000), 500u);
    EXPECT_EQ(share.wait_ns(150, 1500), 0u);
    EXPECT_EQ(share.wait_ns(150, 1'000'000), 0u);
    EXPECT_EQ(share.wait_ns(300, 1'000'000), 500u); // no more is kept
}

} // namespace

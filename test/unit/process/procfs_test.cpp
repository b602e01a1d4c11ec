// SPDX-License-Identifier: MIT
// The real /proc.
#include <algorithm>
#include <csignal>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/process/cache_support.hpp"

using namespace cache_test;
using namespace std::literals;

namespace {

/// A child that sleeps until it is killed.
class Sleeper {
  public:
    Sleeper() : pid_(fork()) {
        if (pid_ == 0) {
            execl("/bin/sleep", "sleep", "1000", nullptr);
            _exit(127);
        }
        // Its command line is there once exec is done.
        for (int i = 0; i < 1000 && slurp("cmdline").substr(0, 6) != "sleep\0"s; i++)
            usleep(10'000);
    }
    ~Sleeper() { end(); }
    void end() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        pid_ = -1;
    }
    uint32_t pid() const { return static_cast<uint32_t>(pid_); }
    std::string slurp(const char* name) const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/" + name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    uint64_t start_time_ns() const {
        std::string stat = slurp("stat");
        std::istringstream fields(stat.substr(stat.rfind(')') + 1));
        std::string field;
        for (int i = 3; i <= 22; i++)
            fields >> field;
        return std::stoull(field) * (second / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
    }

  private:
    pid_t pid_;
};

TEST(Procfs, FindsARealProcess) {
    Sleeper sleeper;
    Procfs procfs;
    auto ids = procfs.processes();
    EXPECT_NE(std::find(ids.begin(), ids.end(), sleeper.pid()), ids.end());
    const Procfs::Process* process = procfs.read(sleeper.pid());
    ASSERT_NE(process, nullptr);
    EXPECT_EQ(process->comm, "sleep");
    EXPECT_EQ(process->start_ticks, procfs.ticks(sleeper.start_time_ns()));
}

TEST(Procfs, ReadsARealProcess) {
    Sleeper sleeper;
    uint64_t start = sleeper.start_time_ns();
    uint32_t pid = sleeper.pid();
    Procfs procfs;
    const Image* image = procfs.read(pid, start + 1);
    ASSERT_NE(image, nullptr);
    EXPECT_EQ(image->exe.bytes, fs::canonical("/bin/sleep").string());
    EXPECT_EQ(image->argv.bytes, "sleep\0"s + "1000\0"s);
    EXPECT_EQ(procfs.read(pid, start + second), nullptr);
    sleeper.end();
    EXPECT_EQ(procfs.read(pid, start + 1), nullptr);
}

} // namespace

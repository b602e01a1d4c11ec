// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "telemetry/base/notify.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;

namespace {

/// Stands for the service manager.
class Manager {
  public:
    explicit Manager(std::string name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        setenv("NOTIFY_SOCKET", name.c_str(), 1);
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        if (name[0] == '@')
            name[0] = '\0';
        name.copy(address.sun_path, sizeof(address.sun_path));
        if (bind(fd_, reinterpret_cast<sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())) != 0)
            ADD_FAILURE() << "bind: " << strerror(errno);
    }
    ~Manager() {
        close(fd_);
        unsetenv("NOTIFY_SOCKET");
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    std::string received() const {
        char text[64];
        const ssize_t size = recv(fd_, text, sizeof(text), 0);
        return size < 0 ? "nothing" : std::string(text, static_cast<size_t>(size));
    }

  private:
    int fd_;
};

} // namespace

TEST(Notify, ReachesASocketInTheFileSystem) {
    const TemporaryFolder folder;
    const Manager manager(folder.path() + "/notify");
    notify::send("READY=1");
    EXPECT_EQ(manager.received(), "READY=1");
    EXPECT_EQ(manager.received(), "nothing");
}

TEST(Notify, ReachesAnAbstractSocket) {
    const Manager manager("@ebpf_telemetry_test." + std::to_string(getpid()));
    notify::send("WATCHDOG=1");
    EXPECT_EQ(manager.received(), "WATCHDOG=1");
}

TEST(Notify, NobodyIsWaitedFor) {
    const TemporaryFolder folder;
    const Manager manager(folder.path() + "/notify");
    for (int i = 0; i < 10000; ++i) // more than the socket's queue takes
        notify::send("WATCHDOG=1");
    EXPECT_EQ(manager.received(), "WATCHDOG=1");
}

TEST(Notify, WithoutAManagerOrWithAnImpossibleSocketNothingHappens) {
    unsetenv("NOTIFY_SOCKET");
    notify::send("READY=1");
    for (const std::string& path :
         {std::string(), std::string("relative"), std::string("/no/such"), "/" + std::string(200, 'x')}) {
        setenv("NOTIFY_SOCKET", path.c_str(), 1);
        notify::send("READY=1");
    }
    unsetenv("NOTIFY_SOCKET");
}

TEST(Notify, OnlyTheProcessThatIsMeantIsWatched) {
    EXPECT_FALSE(notify::is_watched());
    setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_TRUE(notify::is_watched());
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    EXPECT_TRUE(notify::is_watched());
    setenv("WATCHDOG_PID", "1", 1);
    EXPECT_FALSE(notify::is_watched());
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
}

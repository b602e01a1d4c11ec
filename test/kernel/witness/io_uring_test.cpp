// SPDX-License-Identifier: MIT
// What a program does through io_uring makes no system call of its own: kprobes see it, where the
// kernel has them.
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/io_uring.hpp"
#include "test/kernel/witness/support.hpp"

namespace kernel_test {

using namespace io_uring_test;

namespace {

/// Results of the operations by the name of the call that is like it.
enum Operation { opened, made_folder, renamed, linked, symlinked, removed, connected, sent, operations };

struct Results {
    bool has_rings;
    int of[operations];
};

class IoUring : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    /// Whatever way io_uring takes: in the call that submits, or in a thread of its own.
    virtual uint8_t flags() const { return 0; }

    void act(const std::string& folder, Results& results) const {
        Ring ring;
        results.has_rings = ring.is_there();
        if (!results.has_rings)
            return;
        const std::string file = folder + "/f", renamed_file = folder + "/g",
                          spelled = folder + "/./sub/../f", subfolder = folder + "/sub",
                          link = folder + "/link";
        const auto run_with_flags = [&](io_uring_sqe entry) {
            entry.flags = flags();
            return ring.run(entry);
        };
        usleep(300000); // opens have a kprobe from now on
        results.of[opened] = run_with_flags(on_path(IORING_OP_OPENAT, file, 0600, O_CREAT | O_RDWR));
        if (results.of[opened] == -EINVAL)
            close(open(file.c_str(), O_CREAT | O_RDWR, 0600));
        results.of[made_folder] = run_with_flags(on_path(IORING_OP_MKDIRAT, subfolder, 0700));
        mkdir(subfolder.c_str(), 0700);
        results.of[renamed] = run_with_flags(on_paths(IORING_OP_RENAMEAT, spelled, renamed_file));
        rename(file.c_str(), renamed_file.c_str());
        results.of[linked] = run_with_flags(on_paths(IORING_OP_LINKAT, renamed_file, file));
        results.of[symlinked] = run_with_flags(on_paths(IORING_OP_SYMLINKAT, "target", link));
        results.of[removed] = run_with_flags(on_path(IORING_OP_UNLINKAT, renamed_file));
        const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(3344);
        inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
        io_uring_sqe connect = operation(IORING_OP_CONNECT, socket);
        connect.addr = reinterpret_cast<uintptr_t>(&to);
        connect.off = sizeof to;
        results.of[connected] = run_with_flags(connect);
        char byte = 'x';
        io_uring_sqe send = operation(IORING_OP_SEND, socket);
        send.addr = reinterpret_cast<uintptr_t>(&byte);
        send.len = 1;
        results.of[sent] = run_with_flags(send);
    }

    /// The events of one call.
    std::vector<const telemetry::Event*> of(const Events& events, std::string_view call) const {
        std::vector<const telemetry::Event*> found;
        for (const OwnedEvent& event : events)
            if (event->via_io_uring && event->call->name == call)
                found.push_back(&*event);
        return found;
    }

    void expect_paths(const Events& events, const char* call, int result,
                      std::vector<std::string> paths) const {
        SCOPED_TRACE(call);
        if (result == -EINVAL) // this kernel has no such operation
            return;
        ASSERT_GE(result, 0);
        const auto found = of(events, call);
        ASSERT_EQ(found.size(), 1u);
        ASSERT_EQ(found[0]->paths, paths.size());
        for (size_t i = 0; i < paths.size(); i++)
            EXPECT_EQ(found[0]->path[i].bytes, paths[i]);
        EXPECT_FALSE(found[0]->returns);
        EXPECT_FALSE(found[0]->unwitnessed);
    }

    void TestBody() override {
        const WitnessFolder folder;
        const SharedMemory<Results> results;
        // Before 5.12 a thread of the kernel's works for all processes.
        const auto events = run(
            "openat\nmkdirat\nrenameat2\nlinkat\nsymlinkat\nunlinkat\nconnect\nsendmsg",
            [&] { act(folder.path, *results.operator->()); }, From::all);
        if (!results->has_rings)
            GTEST_SKIP() << "this kernel has no io_uring, or does not allow it";
        if (!witnessed_)
            return;
        const auto& result = results->of;
        if (result[connected] == -EINVAL)
            GTEST_SKIP() << "this kernel's io_uring neither connects nor opens files (before 5.5)";
        expect_paths(events, "openat", result[opened], {folder / "f"});
        expect_paths(events, "mkdirat", result[made_folder], {folder / "sub"});
        expect_paths(events, "renameat2", result[renamed], {folder / "f", folder / "g"});
        expect_paths(events, "linkat", result[linked], {folder / "g", folder / "f"});
        expect_paths(events, "symlinkat", result[symlinked], {folder / "link"});
        expect_paths(events, "unlinkat", result[removed], {folder / "g"});
        ASSERT_GE(result[connected], 0);
        const auto connects = of(events, "connect");
        ASSERT_EQ(connects.size(), 1u);
        EXPECT_EQ(connects[0]->sockaddr.bytes.substr(0, 4), std::string_view("\2\0\x0d\x10", 4));
        ASSERT_EQ(result[sent], 1);
        const auto sends = of(events, "sendmsg");
        ASSERT_EQ(sends.size(), 1u);
        EXPECT_EQ(sends[0]->socket.remote_port, 3344);
    }
};

class IoUringThread : public IoUring {
  public:
    using IoUring::IoUring;

  private:
    uint8_t flags() const override { return IOSQE_ASYNC; }
};

} // namespace

void register_io_uring_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Witnesses." + std::string(tier_name(tier));
    add_test<IoUring>(suite, "IoUring", tier);
    add_test<IoUringThread>(suite, "IoUringThread", tier);
}

} // namespace kernel_test

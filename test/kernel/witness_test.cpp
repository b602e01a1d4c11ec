// SPDX-License-Identifier: MIT
// What the kernel acted on, told by kprobes where it has them: right for every spelling of a
// path, and whatever another thread changes during the call.
#include <arpa/inet.h>
#include <atomic>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/fixture.hpp"

namespace kernel_test {

namespace {

using telemetry::Source;
using Events = std::vector<OwnedEvent>;

/// Folders with a file or two for one test, and what its child and the test itself share.
class Folder {
  public:
    Folder() {
        char name[] = "/tmp/ebt_witness.XXXXXX";
        if (!mkdtemp(name))
            throw std::runtime_error("no folder to be had");
        path = name;
    }
    ~Folder() { EXPECT_EQ(system(("rm -rf " + path).c_str()), 0); }
    std::string operator/(const std::string& name) const { return path + "/" + name; }
    std::string path;
};

/// Runs `body` in a child under an engine that selects `rules`, and hands over its events.
class WitnessTest : public testing::Test {
  public:
    explicit WitnessTest(ebpf_loader::Tier tier) : options_(engine_options(tier)) { options_.witness = true; }

  protected:
    Events run(const std::string& text, const std::function<void()>& body) {
        const auto rules = telemetry::Rules::parse(text, "rules of the test");
        ebpf_loader::Engine engine(rules.compile(), options_);
        Collector collector(engine);
        engine.start();
        for (const auto& verdict : engine.witnesses())
            witnessed_ |= verdict.needed && verdict.attached;
        const pid_t child = fork();
        if (child == 0) {
            body();
            _exit(0);
        }
        int status = -1;
        while (waitpid(child, &status, WNOHANG) == 0)
            collector.poll(std::chrono::milliseconds(1));
        EXPECT_EQ(status, 0);
        collector.finish();
        EXPECT_EQ(collector.problems(), "");
        Events events;
        for (OwnedEvent& event : collector.take_events())
            if (event->pid == static_cast<uint32_t>(child) && event->tid == event->pid)
                events.push_back(std::move(event));
        return events;
    }

    bool witnessed_ = false; ///< this kernel has kprobes

  private:
    ebpf_loader::EngineOptions options_;
};

class EverySpelling : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    void TestBody() override {
        const Folder folder;
        const std::string file = folder / "f", other = folder / "g";
        mkdir((folder / "sub").c_str(), 0700);
        const std::string spellings[] = {file,
                                         "/" + file,
                                         folder / "./f",
                                         folder / "sub/../f",
                                         "/proc/self/root" + file,
                                         "/proc/self/cwd/f",
                                         "f",
                                         "./f",
                                         "sub/..//f"};
        const auto events = run("chmod\nunlink\nmkdir\nrmdir\nsymlink\nlink\nrename", [&] {
            if (chdir(folder.path.c_str()) != 0)
                _exit(1);
            for (const std::string& spelling : spellings) {
                const char* const path = spelling.c_str();
                close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
                const bool done = chmod(path, 0640) == 0 && rename(path, "g") == 0 && link("g", path) == 0 &&
                                  unlink(path) == 0 && mkdir(path, 0700) == 0 && rmdir(path) == 0 &&
                                  symlink("g", path) == 0 && unlink(path) == 0 && unlink("g") == 0;
                if (!done)
                    _exit(2);
            }
        });
        ASSERT_EQ(events.size(), std::size(spellings) * 9);
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

class Addresses : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    static sockaddr_in address(const char* ip, uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        inet_pton(AF_INET, ip, &address.sin_addr);
        return address;
    }

    void TestBody() override {
        sockaddr_in to[] = {address("127.0.0.1", 11), address("127.0.0.2", 22)};
        const auto events = run("sendmmsg\nsendto", [&] {
            const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
            char byte = 'x';
            iovec bytes{&byte, 1};
            mmsghdr messages[2]{};
            for (size_t i = 0; i < 2; i++) {
                messages[i].msg_hdr.msg_name = &to[i];
                messages[i].msg_hdr.msg_namelen = sizeof to[i];
                messages[i].msg_hdr.msg_iov = &bytes;
                messages[i].msg_hdr.msg_iovlen = 1;
            }
            const bool done =
                sendmmsg(socket, messages, 2, 0) == 2 &&
                sendto(socket, &byte, 1, 0, reinterpret_cast<sockaddr*>(&to[1]), sizeof to[1]) == 1;
            _exit(!done);
        });
        ASSERT_EQ(events.size(), 2u);
        const auto bytes_of = [&](size_t i) {
            return std::string_view(reinterpret_cast<const char*>(&to[i]), sizeof to[i]);
        };
        EXPECT_EQ(events[0]->sockaddr.bytes, bytes_of(0));
        EXPECT_EQ(events[1]->sockaddr.bytes, bytes_of(1));
        if (!witnessed_)
            return;
        ASSERT_TRUE(events[0]->witnessed && events[1]->witnessed);
        ASSERT_EQ(events[0]->witnessed->addresses, 2);
        EXPECT_EQ(events[0]->witnessed->address[0].bytes, bytes_of(0));
        EXPECT_EQ(events[0]->witnessed->address[1].bytes, bytes_of(1));
        EXPECT_EQ(events[0]->sockaddr.source, Source::kernel);
        EXPECT_EQ(events[1]->witnessed->addresses, 1);
    }
};

class Script : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    void TestBody() override {
        const Folder folder;
        const std::string script = folder / "script", link = folder / "link";
        const std::string program = std::filesystem::canonical("/bin/sh").string();
        std::ofstream(script) << "#!/bin/sh\nexit 0\n";
        chmod(script.c_str(), 0755);
        ASSERT_EQ(symlink("script", link.c_str()), 0);
        const auto events = run("execve\nprocess_exec", [&] {
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
        }
    }
};

/// A second thread changes what a call is about, a thousand times; which of two files it was
/// is seen by their modes afterwards.
class Races : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    static constexpr unsigned rounds = 1000;
    enum Truth : uint8_t { first, second, unclear };

    /// What both threads and the test look at.
    struct Shared {
        std::atomic<bool> over;
        std::atomic<unsigned> changes;
        uint8_t truth[rounds];
        char path[128];
    };

    static mode_t mode_in(unsigned round) { return 0400 + round % 0377; }

    static Truth changed(const std::string (&files)[2], mode_t mode) {
        struct stat about[2]{};
        for (size_t i = 0; i < 2; i++)
            stat(files[i].c_str(), &about[i]);
        const bool is[2] = {(about[0].st_mode & 07777) == mode, (about[1].st_mode & 07777) == mode};
        return is[0] == is[1] ? unclear : is[0] ? first : second;
    }

    void race(const char* call, const std::function<void(unsigned)>& change,
              const std::function<bool(mode_t)>& act) {
        memset(shared_->truth, unclear, sizeof shared_->truth);
        shared_->over = false;
        shared_->changes = 0;
        const auto events = run(call, [&] {
            std::thread other([&] {
                for (unsigned i = 0; !shared_->over; i++) {
                    change(i);
                    shared_->changes = i + 1;
                }
            });
            while (shared_->changes == 0) // the call has something to be about
                std::this_thread::yield();
            for (unsigned round = 0; round < rounds; round++)
                if (act(mode_in(round)))
                    shared_->truth[round] = changed(files_, mode_in(round));
            shared_->over = true;
            other.join();
        });
        ASSERT_EQ(events.size(), rounds) << call;
        unsigned compared = 0;
        for (unsigned round = 0; round < rounds; round++) {
            const telemetry::Event& event = *events[round];
            if (shared_->truth[round] == unclear || !event.success())
                continue;
            ASSERT_EQ(event.paths, 1);
            const telemetry::PathField& path = event.path[0];
            compared++;
            if (!witnessed_)
                continue;
            EXPECT_EQ(path.source, Source::kernel) << call;
            EXPECT_EQ(path.bytes, files_[shared_->truth[round]]) << call << ", round " << round;
        }
        EXPECT_GT(compared, rounds / 4) << call;
    }

    void TestBody() override {
        const Folder folder;
        for (size_t i = 0; i < 2; i++) {
            folders_[i] = folder / (i ? "b" : "a");
            files_[i] = folders_[i] + "/f";
            mkdir(folders_[i].c_str(), 0700);
            close(open(files_[i].c_str(), O_CREAT | O_WRONLY, 0600));
        }
        void* const memory =
            mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(memory, MAP_FAILED);
        shared_ = new (memory) Shared;
        strcpy(shared_->path, files_[0].c_str());
        char* const letter = shared_->path + folder.path.size() + 1;
        race(
            "chmod", [&](unsigned i) { *static_cast<volatile char*>(letter) = i & 1 ? 'b' : 'a'; },
            [&](mode_t mode) { return chmod(shared_->path, mode) == 0; });
        const int descriptors[] = {open(files_[0].c_str(), O_RDONLY), open(files_[1].c_str(), O_RDONLY)};
        const int changing = dup(descriptors[0]);
        race(
            "fchmod", [&](unsigned i) { dup2(descriptors[i & 1], changing); },
            [&](mode_t mode) { return fchmod(changing, mode) == 0; });
        race(
            "chmod", [&](unsigned i) { EXPECT_EQ(chdir(folders_[i & 1].c_str()), 0); },
            [&](mode_t mode) { return chmod("f", mode) == 0; });
        const int directories[] = {open(folders_[0].c_str(), O_RDONLY), open(folders_[1].c_str(), O_RDONLY)};
        race(
            "fchmodat", [&](unsigned i) { dup2(directories[i & 1], changing); },
            [&](mode_t mode) { return fchmodat(changing, "f", mode, 0) == 0; });
        for (const int descriptor :
             {descriptors[0], descriptors[1], directories[0], directories[1], changing})
            close(descriptor);
        munmap(memory, sizeof(Shared));
    }

    std::string folders_[2], files_[2];
    Shared* shared_ = nullptr;
};

} // namespace

void register_witness_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Witnesses." + std::string(tier_name(tier));
    add_test<EverySpelling>(suite, "EverySpelling", tier);
    add_test<Addresses>(suite, "Addresses", tier);
    add_test<Script>(suite, "Script", tier);
    add_test<Races>(suite, "Races", tier);
}

} // namespace kernel_test

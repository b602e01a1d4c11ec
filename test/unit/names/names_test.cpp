// SPDX-License-Identifier: MIT
// Names are resolved whatever the helper does, and what resolves them can do little else.
#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/helper/packets.hpp"
#include "telemetry/names/lookup.hpp"
#include "telemetry/names/names.hpp"
#include "telemetry/rights/capabilities.hpp"
#include "test/unit/support/emulated.hpp"
#include "test/unit/support/helper_processes.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace telemetry::name_messages;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

#ifdef EBT_SANITIZED // the sanitizers make system calls of their own, and map much
#define SKIP_SANITIZED() GTEST_SKIP() << "sanitizers"
#else
#define SKIP_SANITIZED()
#endif

using Clock = Names::Clock;
constexpr auto endless = Clock::time_point::max();

constexpr Helper::Limits limits_of(std::chrono::milliseconds answer) {
    return {answer, 64u << 20, "ebt-names", Reach::name_servers, true};
}
const Helper::Limits patient = limits_of(std::chrono::seconds(20));
const Helper::Limits hasty = limits_of(std::chrono::milliseconds(300));

Answer one_address() {
    Answer answer;
    answer.outcome = found;
    answer.count = 1;
    answer.addresses[0].family = 4;
    inet_pton(AF_INET, "192.0.2.7", answer.addresses[0].bytes);
    return answer;
}

/// Says what a host's name asks for.
std::string packet_for(const std::string& host) {
    Answer answer = one_address();
    if (host == "many")
        answer.count = most_addresses + 1;
    if (host == "family")
        answer.addresses[0].family = 7;
    if (host == "none")
        answer.count = 0;
    if (host == "outcome")
        answer.outcome = 77;
    if (host == "unknown")
        answer = {unknown, 0, {}};
    if (host == "silent")
        answer = {no_answer, 0, {}};
    if (host == "both") {
        answer.count = 2;
        answer.addresses[1].family = 6;
        inet_pton(AF_INET6, "2001:db8::9", answer.addresses[1].bytes);
    }
    std::string bytes(packets::bytes_of(answer));
    if (host == "short")
        bytes.pop_back();
    if (host == "long")
        bytes += 'x';
    if (host == "too long")
        bytes.resize(Channel::longest + 1);
    return bytes;
}

void pretend(Channel& channel) {
    for (Packet packet; channel.receive(packet, endless) == Channel::Outcome::packet;) {
        const std::string host = packet.bytes.c_str();
        if (host == "hang")
            channel.receive(packet, endless);
        if (host == "crash")
            __builtin_trap();
        if (host == "grow")
            for (std::vector<std::string> all;;)
                all.emplace_back(1 << 20, 'x');
        channel.send(packet_for(host));
    }
}

struct Asked {
    std::vector<std::string> addresses;
    std::string error;
};

Asked ask(Names& names, const std::string& host, Clock::time_point deadline = endless) {
    Asked asked;
    for (const SocketAddress& address : names.resolve(
             host, 80, [=] { return deadline; }, asked.error))
        asked.addresses.push_back(address_text(address));
    return asked;
}

void expect_resolves(Names& names) {
    const Asked asked = ask(names, "host");
    EXPECT_THAT(asked.addresses, ElementsAre("192.0.2.7")) << asked.error;
}

TEST(HostNames, AreResolvedByTheHelper) {
    Names names(pretend, patient);
    std::string error;
    const auto both = names.resolve(
        "both", 514, [] { return endless; }, error);
    ASSERT_EQ(both.size(), 2U) << error;
    EXPECT_EQ(address_text(both[0]), "192.0.2.7");
    EXPECT_EQ(address_text(both[1]), "2001:db8::9");
    EXPECT_EQ(both[1].size, sizeof(sockaddr_in6));
    EXPECT_EQ(ntohs(reinterpret_cast<const sockaddr_in*>(&both[0].address)->sin_port), 514);
    EXPECT_EQ(ask(names, "unknown").error, "unknown: there is no such host");
    EXPECT_EQ(ask(names, "silent").error, "silent: its name server does not answer");
    EXPECT_EQ(ask(names, std::string(256, 'x')).error, std::string(256, 'x') + ": there is no such host");
    EXPECT_THAT(ask(names, "2001:db8::1").addresses, ElementsAre("2001:db8::1")) << "is one already";
    EXPECT_EQ(names.failures(), 0U);
}

void expect_failure(Names& names, const std::string& host) {
    const uint64_t failures = names.failures();
    const Asked asked = ask(names, host);
    EXPECT_TRUE(asked.addresses.empty()) << host;
    EXPECT_EQ(asked.error, host + ": its name cannot be resolved");
    EXPECT_EQ(names.failures(), failures + 1) << host;
    expect_resolves(names);
}

TEST(HostNames, OfAHelperThatFailsAreMissedAndTheNextIsFound) {
    SKIP_SANITIZED();
    Names names(pretend, patient);
    for (const char* host : {"crash", "many", "family", "none", "outcome", "short", "long", "too long"})
        expect_failure(names, host);
}

TEST(HostNames, OfAHelperThatGrowsAreMissedAndTheNextIsFound) {
    SKIP_WITHOUT_MEMORY_LIMIT();
    SKIP_SANITIZED();
    Names names(pretend, patient);
    expect_failure(names, "grow");
}

TEST(HostNames, OfAHelperThatHangsAreGivenUp) {
    Names names(pretend, hasty);
    const auto begin = Clock::now();
    EXPECT_EQ(ask(names, "hang").error, "hang: its name server does not answer");
    EXPECT_LT(Clock::now() - begin, 10 * hasty.answer);
    EXPECT_EQ(names.failures(), 1U);
    expect_resolves(names);
}

TEST(HostNames, AreNotWaitedForWhenThereIsNoTimeLeft) {
    Names names(pretend, patient);
    const auto begin = Clock::now();
    EXPECT_THAT(ask(names, "hang", begin + std::chrono::milliseconds(100)).error, HasSubstr("hang: "));
    EXPECT_LT(Clock::now() - begin, patient.answer / 4);
    EXPECT_EQ(names.failures(), 0U) << "it had no time to answer";
    expect_resolves(names);
}

/// Who asks for another one waits for it, or for as long as it has time.
TEST(HostNames, AreAskedForOneAtATime) {
    Names names(pretend, limits_of(std::chrono::seconds(2)));
    std::thread other([&] { ask(names, "hang"); });
    usleep(200'000);
    EXPECT_EQ(ask(names, "host", Clock::now() + std::chrono::milliseconds(200)).error,
              "host: another name is still being resolved");
    expect_resolves(names);
    other.join();
    EXPECT_EQ(names.failures(), 1U);
}

TEST(HostNames, AreNotResolvedWithoutAHelper) {
    use_names(nullptr);
    std::string error;
    EXPECT_TRUE(resolve(
                    "localhost", 80, [] { return endless; }, error)
                    .empty());
    EXPECT_EQ(error, "localhost: there is no helper that resolves names");
    EXPECT_EQ(resolve(
                  "127.0.0.1", 80, [] { return endless; }, error)
                  .size(),
              1U);
    EXPECT_FALSE(name_failures());
    use_names(std::make_shared<Names>(pretend, patient));
    EXPECT_EQ(resolve(
                  "host", 80, [] { return endless; }, error)
                  .size(),
              1U);
    EXPECT_EQ(name_failures(), 0U);
    use_names(nullptr);
}

#ifdef EBT_SANITIZED
constexpr bool resolves = false; // they map more than a helper may
#else
const bool resolves = can_look_up();
#endif

TEST(HostNames, AreThoseOfThisMachine) {
    if (!resolves)
        GTEST_SKIP() << "sanitizers, or a static program";
    Names names;
    EXPECT_THAT(ask(names, "localhost").addresses, testing::Contains(testing::AnyOf("127.0.0.1", "::1")));
    EXPECT_NE(ask(names, "no-such-host.invalid").error, "");
    EXPECT_EQ(names.failures(), 0U);
}

/// Does what a word says, and answers with what came of it.
std::string act(const std::string& word) {
    const auto result = [](long value) { return value < 0 ? std::string(strerror(errno)) : "done"; };
    if (word.starts_with("read "))
        return result(open(word.substr(5).c_str(), O_RDONLY));
    if (word.starts_with("write "))
        return result(open(word.substr(6).c_str(), O_WRONLY | O_CREAT, 0600));
    if (word == "inet")
        return result(socket(AF_INET, SOCK_DGRAM, 0));
    if (word == "packet")
        return result(socket(AF_PACKET, SOCK_RAW, 0));
    if (word == "vsock")
        return result(socket(AF_VSOCK, SOCK_STREAM, 0));
    if (word == "map")
        return result(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                           0) == MAP_FAILED
                          ? -1
                          : 0);
    if (word == "execute")
        return result(execl("/bin/true", "true", nullptr));
    if (word == "fork")
        return result(fork());
    if (word == "kill")
        return result(kill(getppid(), SIGKILL));
    return word;
}

/// A helper with what one that resolves names has.
struct NameHelper : testing::Test {
    std::string ask(const std::string& word) {
        Packet packet;
        if (!helper.channel())
            helper.replace();
        if (!helper.channel() || !helper.channel()->send(word) ||
            helper.channel()->receive(packet, helper.deadline()) != Channel::Outcome::packet)
            return "ended: " + helper.replace();
        return packet.bytes;
    }

    Helper helper{[](Channel& channel) {
                      for (Packet packet; channel.receive(packet, endless) == Channel::Outcome::packet;)
                          channel.send(act(packet.bytes));
                  },
                  patient};
};

TEST_F(NameHelper, ReachesServersAndReadsTheirFiles) {
    SKIP_SANITIZED();
    for (const char* word : {"read /etc/hosts", "read /dev/urandom", "inet"})
        EXPECT_EQ(ask(word), "done") << word;
}

TEST_F(NameHelper, DoesNothingElse) {
    SKIP_WITHOUT_SECCOMP();
    SKIP_SANITIZED();
    const TemporaryFolder folder;
    for (const std::string& word :
         {std::string("packet"), std::string("vsock"), std::string("map"), "write " + folder.path() + "/new"})
        EXPECT_EQ(ask(word), "Operation not permitted") << word;
    for (const char* word : {"execute", "fork", "kill"})
        EXPECT_EQ(ask(word), "ended: signal 31") << word;
}

/// Not what its user may read, as root in a service may keys, and not what everybody may.
TEST_F(NameHelper, ReadsNoOtherFiles) {
    SKIP_SANITIZED();
    if (syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
        GTEST_SKIP() << (is_emulated() ? "the emulator of this processor" : "this kernel")
                     << " has no Landlock";
    EXPECT_EQ(ask("read /etc/passwd"), "Permission denied");
    EXPECT_EQ(ask("read /proc/self/environ"), "Permission denied");
}

/// Whatever the kernel has.
TEST_F(NameHelper, IsNotRootWhereThatCanBe) {
    SKIP_SANITIZED();
    if (!(permitted_capabilities() & capability(CAP_SETUID)))
        GTEST_SKIP() << "needs CAP_SETUID";
    const TemporaryFolder folder;
    const std::string key = folder.path() + "/key";
    std::ofstream(key) << "secret";
    chmod(key.c_str(), 0600);
    EXPECT_EQ(ask("read " + key), "Permission denied");
}

TEST_F(NameHelper, HasNoRights) {
    SKIP_SANITIZED();
    EXPECT_EQ(ask("hello"), "hello");
    const pid_t keeper = child_of(getpid()), own = child_of(keeper);
    for (const pid_t pid : {keeper, own}) {
        const std::string status = status_without_rights(pid, "ebt-names");
        if (permitted_capabilities() & capability(CAP_SETUID)) {
            EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534\n"));
            EXPECT_THAT(status, HasSubstr("CapBnd:\t0000000000000000\n"));
        }
    }
    SKIP_WITHOUT_SECCOMP();
    for (const pid_t pid : {keeper, own})
        expect_filtered(pid);
}

/// What runs in it is a copy of the program, whose environment has keys.
TEST(NameWork, KnowsNoEnvironment) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ASSERT_EQ(setenv("DD_API_KEY", "0123456789abcdef", 1), 0);
    const char* const key = getenv("DD_API_KEY");
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        Channel channel{ebpf_loader::UniqueFd(ends[1])};
        shutdown(channel.socket(), SHUT_RD);
        serve_names(channel);
        _exit(getenv("DD_API_KEY") || key[0] != '\0');
    }
    close(ends[0]);
    close(ends[1]);
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    unsetenv("DD_API_KEY");
}

} // namespace

// SPDX-License-Identifier: MIT
// Addresses as the kernel used them, from kprobes where it has them: each of sendmmsg's, and those
// of calls whose address or descriptor a second thread changes meanwhile.
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "test/kernel/witness/support.hpp"

namespace kernel_test {

namespace {

using telemetry::Source;

sockaddr_in address(const char* ip, uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, ip, &address.sin_addr);
    return address;
}

uint16_t port_of(std::string_view bytes) {
    sockaddr_in address{};
    memcpy(&address, bytes.data(), std::min(bytes.size(), sizeof address));
    return ntohs(address.sin_port);
}

sockaddr* pointer(sockaddr_in& address) {
    return reinterpret_cast<sockaddr*>(&address);
}

int make_udp(uint16_t port = 0) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in own = address("127.0.0.1", port);
    if (port)
        bind(fd, pointer(own), sizeof own);
    return fd;
}

class EachMessage : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    void TestBody() override {
        sockaddr_in to[] = {address("127.0.0.1", 11), address("127.6.6.6", 22)};
        const auto events = run("sendmmsg\nsendto", [&] {
            const int socket = make_udp();
            char byte = 'x';
            iovec bytes{&byte, 1};
            mmsghdr messages[2]{};
            for (size_t i = 0; i < 2; i++) {
                messages[i].msg_hdr.msg_name = &to[i];
                messages[i].msg_hdr.msg_namelen = sizeof to[i];
                messages[i].msg_hdr.msg_iov = &bytes;
                messages[i].msg_hdr.msg_iovlen = 1;
            }
            const bool done = sendmmsg(socket, messages, 2, 0) == 2 &&
                              sendto(socket, &byte, 1, 0, pointer(to[1]), sizeof to[1]) == 1;
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

/// More messages than are kept.
class ManyMessages : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    static constexpr unsigned count = 12;

    void TestBody() override {
        const auto events = run("sendmmsg", [] {
            const int socket = make_udp();
            char byte = 'x';
            iovec bytes{&byte, 1};
            mmsghdr messages[count]{};
            sockaddr_in to[count];
            for (unsigned i = 0; i < count; i++) {
                to[i] = address("127.6.6.6", static_cast<uint16_t>(100 + i));
                messages[i].msg_hdr.msg_name = &to[i];
                messages[i].msg_hdr.msg_namelen = sizeof to[i];
                messages[i].msg_hdr.msg_iov = &bytes;
                messages[i].msg_hdr.msg_iovlen = 1;
            }
            _exit(sendmmsg(socket, messages, count, 0) != count);
        });
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(port_of(events[0]->sockaddr.bytes), 100);
        if (!witnessed_)
            return;
        ASSERT_NE(events[0]->witnessed, nullptr);
        EXPECT_EQ(events[0]->witnessed->address_count, count);
        ASSERT_EQ(events[0]->witnessed->addresses, 8);
        for (unsigned i = 0; i < 8; i++)
            EXPECT_EQ(port_of(events[0]->witnessed->address[i].bytes), 100 + i);
    }
};

constexpr unsigned most_address_rounds = 1000;
constexpr uint16_t first_port = 20000, own_port = 31000;

struct Sent {
    uint16_t to[2], from[2]; ///< of up to two messages; 0: not known
};

struct SharedAddresses {
    Sent truth[2][most_address_rounds]; ///< while the address changes, and while the descriptor does
    sockaddr_in address;
    volatile uint8_t port_of_round; ///< the lower byte of it, whose lowest bit is changed
};

/// `act` makes one call with the descriptor and the address; `look` what it did, by two sockets.
struct Call {
    const char* name;
    bool (*act)(int fd, sockaddr_in& address, unsigned round);
    void (*look)(const int (&sockets)[2], const int (&receivers)[2], unsigned round, Sent& truth);
    bool is_unbound = false; ///< needs new sockets each time, and says their own address
};

uint16_t own(int fd) {
    sockaddr_in name{};
    socklen_t length = sizeof name;
    getsockname(fd, pointer(name), &length);
    return ntohs(name.sin_port);
}
uint16_t peer(int fd) {
    sockaddr_in name{};
    socklen_t length = sizeof name;
    return getpeername(fd, pointer(name), &length) == 0 ? ntohs(name.sin_port) : 0;
}

void look_at_peers(const int (&sockets)[2], const int (&)[2], unsigned round, Sent& truth) {
    for (const int fd : sockets)
        if ((peer(fd) & ~1) == first_port + 2 * static_cast<int>(round)) {
            truth.to[0] = peer(fd);
            truth.from[0] = own(fd);
        }
}
void look_at_names(const int (&sockets)[2], const int (&)[2], unsigned round, Sent& truth) {
    for (const int fd : sockets)
        if ((own(fd) & ~1) == first_port + 2 * static_cast<int>(round))
            truth.to[0] = own(fd);
}
void look_at_messages(const int (&)[2], const int (&receivers)[2], unsigned, Sent& truth) {
    for (unsigned i = 0; i < 2; i++) {
        char which = 0;
        sockaddr_in from{};
        socklen_t length = sizeof from;
        while (recvfrom(receivers[i], &which, 1, MSG_DONTWAIT, pointer(from), &length) == 1) {
            truth.to[which & 1] = static_cast<uint16_t>(first_port + i);
            truth.from[which & 1] = ntohs(from.sin_port);
        }
    }
}

constexpr Call calls[] = {
    {"connect",
     [](int fd, sockaddr_in& address, unsigned) {
         return connect(fd, pointer(address), sizeof address) == 0;
     },
     look_at_peers},
    {"bind",
     [](int fd, sockaddr_in& address, unsigned) { return bind(fd, pointer(address), sizeof address) == 0; },
     look_at_names, true},
    {"sendto",
     [](int fd, sockaddr_in& address, unsigned) {
         const char which = 0;
         return sendto(fd, &which, 1, 0, pointer(address), sizeof address) == 1;
     },
     look_at_messages},
    {"sendmsg",
     [](int fd, sockaddr_in& address, unsigned) {
         char which = 0;
         iovec bytes{&which, 1};
         msghdr message{};
         message.msg_name = &address;
         message.msg_namelen = sizeof address;
         message.msg_iov = &bytes;
         message.msg_iovlen = 1;
         return sendmsg(fd, &message, 0) == 1;
     },
     look_at_messages},
    {"sendmmsg",
     [](int fd, sockaddr_in& address, unsigned) {
         char which[2] = {0, 1};
         iovec bytes[2] = {{&which[0], 1}, {&which[1], 1}};
         mmsghdr messages[2]{};
         for (unsigned i = 0; i < 2; i++) {
             messages[i].msg_hdr.msg_name = &address;
             messages[i].msg_hdr.msg_namelen = sizeof address;
             messages[i].msg_hdr.msg_iov = &bytes[i];
             messages[i].msg_hdr.msg_iovlen = 1;
         }
         return sendmmsg(fd, messages, 2, 0) == 2;
     },
     look_at_messages},
};

class AddressRaces : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    static unsigned rounds() { return race_rounds(most_address_rounds); }

    /// Changes the lowest bit of the port. The others are of the round: read from the port itself, those of
    /// the round before could be written back, and would stay.
    std::function<void(unsigned)> change_address() {
        return [this](unsigned i) {
            auto* port = reinterpret_cast<volatile uint8_t*>(&shared_->address.sin_port) + 1;
            *port = static_cast<uint8_t>((shared_->port_of_round & 0xfe) | (i & 1));
        };
    }

    void make_rounds(const Call& call, bool change_descriptor, Sent* truths) {
        const bool sends = call.look == look_at_messages;
        int sockets[2] = {make_udp(call.is_unbound ? 0 : own_port),
                          make_udp(call.is_unbound ? 0 : own_port + 1)};
        const int receivers[2] = {sends ? make_udp(first_port) : -1, sends ? make_udp(first_port + 1) : -1};
        const int changing = dup(sockets[0]);
        const std::function<void(unsigned)> change_socket = [&](unsigned i) {
            dup2(sockets[i & 1], changing);
        };
        while_changing(change_descriptor ? change_socket : change_address(), [&] {
            for (unsigned round = 0; round < rounds(); round++) {
                Sent& truth = truths[round];
                const auto port = static_cast<uint16_t>(first_port + (sends ? 0 : 2 * round));
                shared_->port_of_round = static_cast<uint8_t>(port);
                shared_->address = address("127.0.0.1", port);
                for (unsigned i = 0; call.is_unbound && i < 2; i++) {
                    const int fresh = make_udp();
                    dup2(fresh, sockets[i]);
                    dup2(fresh, changing);
                    close(fresh);
                }
                if (!call.act(changing, shared_->address, round))
                    continue;
                call.look(sockets, receivers, round, truth);
                if (call.is_unbound && !change_descriptor)
                    truth.to[0] = own(changing);
            }
        });
    }

    void race(const Call& call) {
        memset(shared_->truth, 0, sizeof shared_->truth);
        const auto events = run_each(call.name, {[&] { make_rounds(call, false, shared_->truth[0]); },
                                                 [&] { make_rounds(call, true, shared_->truth[1]); }});
        for (size_t i = 0; i < events.size(); i++) {
            SCOPED_TRACE(std::string(call.name) + (i ? ", descriptor changed" : ", address changed"));
            judge(events[i], shared_->truth[i]);
        }
    }

    void judge(const Events& events, const Sent* truths) {
        // The sockets of the test are bound before.
        const size_t before = events.size() > rounds() ? events.size() - rounds() : 0;
        if (events.size() < rounds() && can_miss_runs(tier_))
            return;
        ASSERT_GE(events.size(), rounds());
        unsigned compared = 0;
        for (unsigned round = 0; round < rounds(); round++) {
            const telemetry::Event& event = *events[before + round];
            const Sent& truth = truths[round];
            if (truth.to[0] == 0 || !event.success())
                continue;
            compared++;
            if (witnessed_)
                compare(event, truth, round);
            else if (counts_sharers_)
                expect_right_or_marked(event, truth, round);
        }
        EXPECT_GT(compared, rounds() / 4);
    }

    /// Where nothing witnesses.
    static void expect_right_or_marked(const telemetry::Event& event, const Sent& truth, unsigned round) {
        EXPECT_TRUE(event.sockaddr.shared || port_of(event.sockaddr.bytes) == truth.to[0])
            << "round " << round;
        EXPECT_TRUE(event.socket_shared || event.socket_status != telemetry::Status::ok || !truth.from[0] ||
                    event.socket.local_port == truth.from[0])
            << "round " << round;
    }

    static void compare(const telemetry::Event& event, const Sent& truth, unsigned round) {
        EXPECT_EQ(event.sockaddr.source, Source::kernel);
        EXPECT_EQ(port_of(event.sockaddr.bytes), truth.to[0]) << "round " << round;
        if (event.socket_status == telemetry::Status::ok && truth.from[0]) {
            EXPECT_EQ(event.socket.local_port, truth.from[0]) << "round " << round;
        }
        // The kernel asks for no leave to send to the same address again.
        const uint16_t last = truth.to[1] ? truth.to[1] : truth.to[0];
        ASSERT_NE(event.witnessed, nullptr);
        ASSERT_EQ(event.witnessed->addresses, last == truth.to[0] ? 1 : 2) << "round " << round;
        EXPECT_EQ(port_of(event.witnessed->address[event.witnessed->addresses - 1].bytes), last);
    }

    void TestBody() override {
        for (const Call& call : calls)
            race(call);
    }

    const SharedMemory<SharedAddresses> shared_;
};

/// A connect that waits for room, while another socket takes its descriptor's place.
class BlockingConnect : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  private:
    static int listen_at(uint16_t port, int backlog) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in at = address("127.0.0.1", port);
        return bind(fd, pointer(at), sizeof at) == 0 && listen(fd, backlog) == 0 ? fd : -1;
    }

    void TestBody() override {
        constexpr uint16_t full = 18703, decoy_port = 18704;
        const auto events = run("connect", [] {
            const int at_full = listen_at(full, 0), at_decoy = listen_at(decoy_port, 5);
            sockaddr_in to = address("127.0.0.1", full), to_decoy = address("127.0.0.1", decoy_port);
            const int decoy = socket(AF_INET, SOCK_STREAM, 0);
            bool done =
                at_full >= 0 && at_decoy >= 0 && connect(decoy, pointer(to_decoy), sizeof to_decoy) == 0;
            for (int i = 0; i < 2; i++)
                connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), pointer(to), sizeof to);
            usleep(50000);
            static int blocked;
            blocked = socket(AF_INET, SOCK_STREAM, 0);
            std::thread other([&] {
                usleep(100000);
                dup2(decoy, blocked);
                to.sin_port = htons(1);
                usleep(100000);
                for (int i = 0; i < 3; i++)
                    accept(at_full, nullptr, nullptr);
            });
            other.detach();
            done = done && connect(blocked, pointer(to), sizeof to) == 0;
            _exit(!done);
        });
        ASSERT_EQ(events.size(), 4u);
        const telemetry::Event& last = *events.back();
        if (!witnessed_)
            return;
        EXPECT_EQ(port_of(last.sockaddr.bytes), full);
        EXPECT_EQ(last.sockaddr.source, Source::kernel);
        // The descriptor's socket is another one by now: nothing is said of its ends.
        EXPECT_NE(last.socket_status, telemetry::Status::ok);
    }
};

} // namespace

void register_witness_address_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Witnesses." + std::string(tier_name(tier));
    add_test<EachMessage>(suite, "EachMessage", tier);
    add_test<ManyMessages>(suite, "ManyMessages", tier);
    add_test<AddressRaces>(suite, "AddressRaces", tier);
    add_test<BlockingConnect>(suite, "BlockingConnect", tier);
}

} // namespace kernel_test

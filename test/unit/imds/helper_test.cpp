// SPDX-License-Identifier: MIT
// Whatever the helper for HTTP does, what went over a connection is reported, what was not read is counted,
// and no secret comes out for it.
#include <atomic>
#include <csignal>
#include <fstream>
#include <poll.h>
#include <random>
#include <unistd.h>

#include "imds/helper/serve.hpp"
#include "test/unit/imds/imds_support.hpp"

namespace imds_helper_test {

using namespace imds_test;
using namespace telemetry::imds::http_messages;
using telemetry::Channel;
using telemetry::Helper;
using telemetry::Packet;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr auto endless = Channel::Clock::time_point::max();
const Helper::Limits patient = {std::chrono::seconds(20), 64u << 20};
const std::string handed_out = "AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4=";

/// Does something else with packets that hold a word, and else what it should.
Helper::Work unless(const std::string& word, const std::function<void(Channel&)>& other) {
    return [=](Channel& channel) {
        HttpWork work([&channel](std::string_view bytes) { return channel.send_waiting(bytes); });
        for (Packet packet; channel.receive(packet, endless) == Channel::Outcome::packet;) {
            if (packet.bytes.find(word) != std::string::npos)
                other(channel);
            else if (!work.take(packet.bytes))
                return;
        }
    };
}

/// A connection whose bytes a process reads.
class HelpedConnection : public SimulatedConnection {
  public:
    explicit HelpedConnection(const Helper::Work& work, const Helper::Limits& limits = patient,
                              size_t queued_bytes = OrderQueue::Limits().queued_bytes)
        : SimulatedConnection(options(work, limits, queued_bytes)) {}

    /// What has been sent is answered, or has failed.
    void settle() {
        for (int waited = 0; tracker.is_waiting() && waited < 30'000; ++waited) {
            usleep(1000);
            tracker.tick(now);
        }
        EXPECT_FALSE(tracker.is_waiting());
    }
    void talk(const std::string& path) {
        send(request("GET " + path));
        receive(ec2("x"));
        tracker.tick(now);
    }
    uint64_t failures() const { return tracker.counters().connections.helper_failures; }

  private:
    static ImdsTracker::Options options(const Helper::Work& work, const Helper::Limits& limits,
                                        size_t queued_bytes) {
        ImdsTracker::Options options = in_order();
        options.connections.queue = {queued_bytes, 32 * 1024};
        options.route = std::make_shared<HelperRoute>(work, limits);
        return options;
    }
};

void expect_unread(const ImdsEvent& event) {
    EXPECT_EQ(event.kind, ImdsEvent::Kind::connection);
    EXPECT_EQ(event.connection_content, ConnectionReport::Content::unread);
    EXPECT_TRUE(event.caller);
}

/// Of two connections: the helper fails at the first.
void expect_replaced(HelpedConnection& helped) {
    helped.talk("/latest/hostile");
    helped.settle();
    expect_unread(helped.only());
    EXPECT_EQ(helped.failures(), 1U);
    EXPECT_THAT(helped.json_lines, HasSubstr(R"("content":"helper_failed")"));
    helped.socket = 78;
    helped.ends.local_port = 40'001;
    helped.talk("/latest/meta-data/instance-id");
    helped.settle();
    ASSERT_EQ(helped.events.size(), 2U);
    EXPECT_EQ(path_of(helped.events[1]), "/latest/meta-data/instance-id");
    EXPECT_EQ(helped.failures(), 1U);
    EXPECT_EQ(helped.tracker.counters().events, 2U);
}

std::string done_alone(uint64_t number) {
    Done done;
    done.number = number;
    return std::string(telemetry::packets::bytes_of(done));
}

} // namespace

TEST(ImdsHelper, ReadsAndIsNotWaitedFor) {
    HelpedConnection helped(serve_http);
    helped.send(request("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n"));
    helped.receive(ec2(handed_out));
    EXPECT_TRUE(helped.events.empty()); // it has not been sent yet
    helped.tracker.tick(helped.now);
    helped.settle();
    const ImdsEvent& event = helped.only();
    EXPECT_EQ(event.request_class, RequestClass::token);
    EXPECT_EQ(event.version, Version::v2);
    EXPECT_EQ(event.caller->process.event().pid, helped.process.pid);
    EXPECT_EQ(helped.failures(), 0U);
}

TEST(ImdsHelper, EventsOfAConnectionStayInOrder) {
    HelpedConnection helped(serve_http);
    for (int i = 0; i < 2000; ++i)
        helped.talk("/n" + std::to_string(i));
    helped.tracker.finish(std::chrono::seconds(20));
    ASSERT_EQ(helped.events.size(), 2000U);
    for (int i = 0; i < 2000; ++i)
        ASSERT_EQ(path_of(helped.events[static_cast<size_t>(i)]), "/n" + std::to_string(i));
    EXPECT_EQ(helped.failures(), 0U);
}

TEST(ImdsHelper, ThatCrashes) {
    HelpedConnection helped(unless("hostile", [](Channel&) { __builtin_trap(); }));
    expect_replaced(helped);
}

TEST(ImdsHelper, ThatEnds) {
    HelpedConnection helped(unless("hostile", [](Channel&) { _exit(0); }));
    expect_replaced(helped);
}

TEST(ImdsHelper, ThatHangs) {
    const auto hang = [](Channel&) {
        for (std::atomic<int> turns;;)
            ++turns;
    };
    HelpedConnection helped(unless("hostile", hang), {std::chrono::milliseconds(500), 64u << 20});
    expect_replaced(helped);
}

TEST(ImdsHelper, ThatGrows) {
#ifdef EBT_SANITIZED // they map much
    GTEST_SKIP() << "sanitizers";
#endif
    const auto grow = [](Channel&) {
        for (std::vector<std::string> all;;)
            all.emplace_back(1 << 20, 'x');
    };
    HelpedConnection helped(unless("hostile", grow));
    expect_replaced(helped);
}

TEST(ImdsHelper, WhoseAnswerMakesNoSense) {
    for (const std::string& bytes :
         {std::string("x"), std::string(4096, '\0'), std::string(4096, '\1'), std::string(4096, '\2'),
          std::string(4096, '\3'), std::string(Channel::longest + 1, '\1'), done_alone(99)}) {
        HelpedConnection helped(unless("hostile", [&](Channel& channel) { channel.send(bytes); }));
        expect_replaced(helped);
    }
}

/// What was read may be wrong then, but not what is known without it.
TEST(ImdsHelper, ThatSaysWhatCannotBe) {
    const auto change = [](void (*wrong)(Reading&)) {
        return [wrong](Channel& channel) {
            Reading reading;
            reading.time_ns = start_ns + millisecond;
            reading.has_request = true;
            reading.caller = 1;
            wrong(reading);
            channel.send(packed(1, reading));
        };
    };
    for (void (*wrong)(Reading&) : {
             +[](Reading& reading) { reading.time_ns = 1; },
             +[](Reading& reading) { reading.time_ns += 3600 * 1000 * millisecond; },
             +[](Reading& reading) { reading.latency_ns = UINT64_MAX; },
             +[](Reading& reading) { reading.caller = 3; },
             +[](Reading& reading) { reading.reader = UINT64_MAX; },
             +[](Reading& reading) { reading.has_request = false; },
             +[](Reading& reading) { reading.kind = ImdsFacts::Kind::connection; },
             +[](Reading& reading) { reading.provider = Provider::ecs; },
             +[](Reading& reading) { reading.request_body_bytes = 1 << 20; },
             +[](Reading& reading) { reading.response_body_missing = 1; },
             +[](Reading& reading) { reading.sent = 1 << 20; },
             +[](Reading& reading) { reading.texts[Reading::path] = Secret(std::string(10'000, 'x')); },
             +[](Reading& reading) { reading.connection_content = ConnectionReport::Content::unread; },
             +[](Reading& reading) { reading.fields.resize(11); },
             +[](Reading& reading) { reading.fields.resize(1), reading.fields[0].name = 10; },
             +[](Reading& reading) { reading.secrets.resize(97); },
         }) {
        HelpedConnection helped(unless("hostile", change(wrong)));
        expect_replaced(helped);
    }
    const auto nothing = +[](Reading&) {}; // this one can be
    HelpedConnection helped(unless("hostile", change(nothing)), {std::chrono::milliseconds(500), 64u << 20});
    helped.talk("/latest/hostile");
    helped.settle();
    EXPECT_EQ(helped.events.size(), 2U); // it, and that it was never said to be all
}

/// It reads nothing, and this process does not either.
TEST(ImdsHelper, WithoutItNothingIsRead) {
    HelpedConnection helped(
        unless("", [number = uint64_t{0}](Channel& channel) mutable { channel.send(done_alone(++number)); }));
    helped.talk("/latest/meta-data/");
    helped.settle();
    EXPECT_TRUE(helped.events.empty());
    helped.tracker.finish(std::chrono::seconds(20));
    expect_unread(helped.only());
    EXPECT_EQ(helped.failures(), 1U);
}

TEST(ImdsHelper, ThatDoesNotAnswerAtTheEnd) {
    HelpedConnection helped(unless("", [](Channel&) { poll(nullptr, 0, -1); }));
    helped.talk("/latest/meta-data/");
    const auto begin = Channel::Clock::now();
    helped.tracker.finish(std::chrono::milliseconds(300));
    EXPECT_LT(Channel::Clock::now() - begin, std::chrono::seconds(5));
    expect_unread(helped.only());
}

/// The requests that find no room are reported, each connection is told to go on in the middle, and what
/// comes later is read.
TEST(ImdsHelper, FullQueue) {
    const auto slow = [](Channel& channel) {
        poll(nullptr, 0, 1000);
        serve_http(channel);
    };
    HelpedConnection helped(slow, patient, 1024);
    for (int i = 0; i < 100; ++i) {
        helped.send(request("GET /latest/meta-data/"));
        helped.receive(ec2("x"));
    }
    EXPECT_GE(helped.failures(), 90U);
    EXPECT_EQ(helped.events.size(), helped.failures());
    helped.settle();
    const size_t before = helped.events.size();
    helped.talk("/latest/user-data");
    helped.settle();
    ASSERT_EQ(helped.events.size(), before + 1);
    EXPECT_EQ(path_of(helped.events.back()), "/latest/user-data");
    EXPECT_EQ(helped.tracker.counters().events, helped.events.size());
}

/// Its keeper is ended: no helper ever comes again, and each request is reported all the same.
TEST(ImdsHelper, ThatIsGone) {
    HelpedConnection helped(serve_http);
    const std::string own = std::to_string(getpid());
    std::ifstream children("/proc/" + own + "/task/" + own + "/children");
    pid_t keeper = -1;
    for (pid_t child; children >> child;)
        keeper = child;
    ASSERT_GT(keeper, 1);
    kill(keeper, SIGKILL);
    usleep(200'000); // the helper ends with it
    for (size_t requests = 1; requests < 10; ++requests) {
        helped.talk("/latest/meta-data/");
        helped.settle();
        ASSERT_EQ(helped.failures(), requests);
        expect_unread(helped.events.back());
    }
    helped.tracker.finish();
    EXPECT_EQ(helped.events.size(), 9U);
}

/// A secret that it should have read is not known: all words that may be one are hidden.
TEST(ImdsHelper, WhatItDidNotReadStaysHidden) {
    HelpedConnection helped(unless("hostile", [](Channel&) { __builtin_trap(); }));
    const std::string arguments =
        std::string("use\0--with=", 11) + handed_out + std::string("\0ordinary-words", 15);
    helped.process.image.argv.bytes = arguments;
    helped.process.image.argv.status = telemetry::Status::ok;
    helped.talk("/latest/hostile");
    helped.settle();
    helped.talk("/latest/meta-data/");
    helped.settle();
    ASSERT_EQ(helped.events.size(), 2U);
    EXPECT_THAT(helped.json_lines, Not(HasSubstr(handed_out)));
    EXPECT_THAT(helped.text_lines, Not(HasSubstr(handed_out)));
    EXPECT_THAT(helped.json_lines, HasSubstr("ordinary-words"));
    EXPECT_THAT(helped.json_lines, HasSubstr("/latest/meta-data/"));
}

/// Real answers with a few of their bytes changed: whatever they say, events stay in bounds and are counted.
TEST(ImdsHelper, AnyAnswer) {
    HelpedConnection helped(
        [](Channel& channel) {
            std::mt19937 random(static_cast<unsigned>(getpid()));
            HttpWork work([&](std::string_view bytes) {
                std::string changed(bytes);
                for (int i = 0; i < 2; ++i)
                    changed[random() % changed.size()] = static_cast<char>(random());
                return channel.send_waiting(changed);
            });
            for (Packet packet; channel.receive(packet, endless) == Channel::Outcome::packet;)
                if (!work.take(packet.bytes))
                    return;
        },
        {std::chrono::milliseconds(200), 64u << 20});
    for (int i = 0; i < 200; ++i) {
        helped.talk("/latest/meta-data/iam/security-credentials/x");
        helped.settle();
    }
    EXPECT_GE(helped.failures(), 20U);
    EXPECT_EQ(helped.tracker.counters().events, helped.events.size());
    for (const ImdsEvent& event : helped.events) {
        EXPECT_GE(event.time_ns, start_ns);
        EXPECT_LE(event.time_ns, helped.now);
    }
}

} // namespace imds_helper_test

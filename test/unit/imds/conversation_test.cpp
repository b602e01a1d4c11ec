// SPDX-License-Identifier: MIT
// Reassembly, parsing and pairing: whatever the calls cut the bytes into.
#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;
using testing::HasSubstr;

namespace {

/// What matters of events, to compare whole runs.
std::string facts_of(const SimulatedConnection& simulated) {
    std::string facts;
    for (const ImdsEvent& event : simulated.events)
        facts += event.method.text() + ' ' + event.path.text() + ' ' + std::to_string(event.status) + ' ' +
                 std::string(version_name(event.version)) + ' ' +
                 std::string(class_name(event.request_class)) + ' ' +
                 std::to_string(event.response_body_bytes) + ' ' +
                 (event.is_response_complete ? "complete" : "cut") + '\n';
    return facts;
}

const std::string token = "AQAEAHk0-dGVzdC10b2tlbg==";
const std::string sent_stream =
    request("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n") +
    request("GET /latest/meta-data/instance-id", "X-aws-ec2-metadata-token: " + token + "\r\n") +
    request("POST /latest/other", "Content-Length: 5\r\n", "hello") + request("HEAD /latest/user-data") +
    request("GET /latest/meta-data/hostname");
const std::string received_stream = ec2(token) + "HTTP/1.1 100 Continue\r\n\r\n" +
                                    "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nTransfer-Encoding: "
                                    "chunked\r\n\r\n5;x=y\r\ni-012\r\n5\r\n34567\r\n0\r\n"
                                    "Trailer: x\r\n\r\n" +
                                    ec2("no", "404 Not Found") +
                                    "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Length: 300000\r\n\r\n" +
                                    "HTTP/1.1 204 No Content\r\nServer: EC2ws\r\n\r\n";
const std::string expected = "PUT /latest/api/token 200 v2 token 25 complete\n"
                             "GET /latest/meta-data/instance-id 200 v2 instance 10 complete\n"
                             "POST /latest/other 404 v1 other 2 complete\n"
                             "HEAD /latest/user-data 200 v1 user-data 0 complete\n"
                             "GET /latest/meta-data/hostname 204 v1 instance 0 complete\n";

} // namespace

TEST(ImdsConversation, PipelinedAllAtOnce) {
    SimulatedConnection simulated;
    simulated.send(sent_stream);
    simulated.receive(received_stream);
    EXPECT_EQ(facts_of(simulated), expected);
    simulated.tracker.finish();
    EXPECT_EQ(simulated.events.size(), 5U);
}

TEST(ImdsConversation, ByteByByte) {
    SimulatedConnection simulated;
    for (const char& c : sent_stream)
        simulated.send({&c, 1});
    for (const char& c : received_stream)
        simulated.receive({&c, 1});
    EXPECT_EQ(facts_of(simulated), expected);
}

TEST(ImdsConversation, EverySplitOfBothDirections) {
    for (size_t at = 1; at < std::max(sent_stream.size(), received_stream.size()); ++at) {
        SimulatedConnection simulated;
        const size_t sent = std::min(at, sent_stream.size());
        simulated.send(std::string_view(sent_stream).substr(0, sent));
        simulated.send(std::string_view(sent_stream).substr(sent));
        const size_t received = std::min(at, received_stream.size());
        simulated.receive(std::string_view(received_stream).substr(0, received));
        if (received < received_stream.size())
            simulated.receive(std::string_view(received_stream).substr(received));
        ASSERT_EQ(facts_of(simulated), expected) << "split at " << at;
    }
}

TEST(ImdsConversation, TruncatedAtEveryByteTellsWhatCameAndNothingElse) {
    for (size_t at = 0; at <= sent_stream.size(); ++at) {
        SimulatedConnection simulated;
        simulated.connect();
        simulated.send(std::string_view(sent_stream).substr(0, at));
        simulated.receive(received_stream);
        simulated.close();
        ASSERT_GE(simulated.events.size(), 1U) << at;
        ASSERT_EQ(simulated.tracker.counters().connections.opened, 1U);
        for (const ImdsEvent& event : simulated.events)
            if (event.has_request) {
                ASSERT_THAT(expected, HasSubstr(event.method.text() + ' ' + event.path.text())) << at;
            }
    }
    for (size_t at = 0; at <= received_stream.size(); ++at) {
        SimulatedConnection simulated;
        simulated.send(sent_stream);
        if (at)
            simulated.receive(std::string_view(received_stream).substr(0, at));
        simulated.close();
        ASSERT_EQ(simulated.events.size(), 5U) << at;
    }
}

TEST(ImdsConversation, LatencyIsFromTheLastByteAskedToTheFirstAnswered) {
    SimulatedConnection simulated;
    const std::string asked = request("GET /latest/meta-data/");
    simulated.send(asked.substr(0, 10));
    simulated.send(asked.substr(10));
    simulated.now += 40 * millisecond;
    simulated.receive(ec2("x"));
    ASSERT_TRUE(simulated.only().latency_ns.has_value());
    EXPECT_EQ(*simulated.only().latency_ns, 41 * millisecond);
    EXPECT_EQ(simulated.only().time_ns, start_ns + millisecond);
}

TEST(ImdsConversation, ABodyThatWasNotCapturedIsSkippedByItsLength) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/user-data"));
    const std::string head = "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Length: 300000\r\n\r\n";
    simulated.hole(Direction::received, head.size() + 100'000, head + std::string(4000, 'x'));
    simulated.hole(Direction::received, 150'000);
    simulated.hole(Direction::received, 50'000, std::string(4096, 'y'));
    simulated.ask("GET /latest/meta-data/ami-id", "", ec2("ami-1"));
    ASSERT_EQ(simulated.events.size(), 2U);
    EXPECT_EQ(simulated.events[0].response_body_bytes, 300'000U);
    EXPECT_EQ(simulated.events[0].response_body_missing, 300'000U - 4000 - 4096);
    EXPECT_TRUE(simulated.events[0].is_response_complete);
    EXPECT_FALSE(simulated.events[0].is_uncertain);
    EXPECT_EQ(path_of(simulated.events[1]), "/latest/meta-data/ami-id");
    EXPECT_EQ(simulated.events[1].status, 200);
    EXPECT_EQ(simulated.tracker.counters().conversations.gap_bytes, 300'000U - 8096);
}

TEST(ImdsConversation, ABodyUntilTheEndOfTheConnection) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/"));
    simulated.receive("HTTP/1.0 200 OK\r\nServer: EC2ws\r\n\r\nami-id\n");
    simulated.receive("hostname\n");
    EXPECT_TRUE(simulated.events.empty());
    simulated.peer_ends();
    EXPECT_EQ(simulated.only().response_body_bytes, 16U);
    EXPECT_TRUE(simulated.only().is_response_complete);
}

TEST(ImdsConversation, ARequestWithoutAnswer) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/iam/security-credentials/web"));
    simulated.close();
    EXPECT_EQ(simulated.only().end, Exchange::End::closed);
    EXPECT_FALSE(simulated.only().has_response);
    EXPECT_EQ(simulated.only().version, Version::v1);
    EXPECT_EQ(simulated.only().request_class, RequestClass::credentials);
}

TEST(ImdsConversation, ASlowServerIsToldAndItsAnswerToo) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/iam/info"));
    simulated.tracker.tick(simulated.now + 59'000 * millisecond);
    EXPECT_TRUE(simulated.events.empty());
    simulated.tracker.tick(simulated.now += 61'000 * millisecond);
    EXPECT_EQ(simulated.only().end, Exchange::End::timed_out);
    simulated.receive(ec2("{}"));
    ASSERT_EQ(simulated.events.size(), 2U);
    EXPECT_TRUE(simulated.events[1].is_late);
    EXPECT_EQ(path_of(simulated.events[1]), "/latest/meta-data/iam/info");
    EXPECT_EQ(simulated.events[1].status, 200);
    EXPECT_EQ(simulated.summary.rows().begin()->second.v1, 1U); // counted once
}

TEST(ImdsConversation, AHoleInARequestLosesThatOneAlone) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/meta-data/a", "", ec2("1"));
    simulated.hole(Direction::sent, 100); // a request that nobody saw
    simulated.receive(ec2("22"));
    simulated.ask("GET /latest/meta-data/c", "", ec2("333"));
    ASSERT_EQ(simulated.events.size(), 3U);
    EXPECT_FALSE(simulated.events[1].has_request);
    EXPECT_EQ(simulated.events[1].version, Version::unknown);
    EXPECT_TRUE(simulated.events[1].is_uncertain);
    EXPECT_EQ(path_of(simulated.events[2]), "/latest/meta-data/c");
    EXPECT_EQ(simulated.events[2].response_body_bytes, 3U);
    EXPECT_FALSE(simulated.events[2].is_uncertain);
}

TEST(ImdsConversation, AHoleInAResponseLosesThatOneAlone) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/a"));
    simulated.hole(Direction::received, 200);
    simulated.ask("GET /latest/meta-data/b", "", ec2("22"));
    ASSERT_EQ(simulated.events.size(), 2U);
    EXPECT_EQ(simulated.events[0].end, Exchange::End::unseen);
    EXPECT_EQ(path_of(simulated.events[1]), "/latest/meta-data/b");
    EXPECT_EQ(simulated.events[1].response_body_bytes, 2U);
}

TEST(ImdsConversation, SeenFromTheMiddleOn) {
    SimulatedConnection simulated;
    simulated.receive("rest of a body\n");
    simulated.ask("GET /latest/meta-data/ami-id", "", ec2("ami-1"));
    ASSERT_EQ(simulated.events.size(), 1U);
    EXPECT_EQ(path_of(simulated.only()), "/latest/meta-data/ami-id");
    EXPECT_EQ(simulated.only().status, 200);
}

TEST(ImdsConversation, GarbageIsAConnection) {
    for (const std::string& bytes : samples::hostile_strings()) {
        SimulatedConnection simulated;
        simulated.connect();
        if (!bytes.empty()) {
            simulated.send(bytes);
            simulated.receive(bytes);
        }
        simulated.close();
        ASSERT_EQ(simulated.events.size(), 1U) << bytes;
        EXPECT_EQ(simulated.only().kind, ImdsEvent::Kind::connection);
        EXPECT_EQ(simulated.only().connection_content,
                  bytes.empty() ? ConnectionReport::Content::no_bytes : ConnectionReport::Content::not_http);
    }
}

/// io_uring's connections have no port yet when they are reported, and sockets are used again.
TEST(ImdsConversation, OpenedAsideBySocketsUsedAgain) {
    SimulatedConnection simulated;
    const auto connect_aside = [&] {
        Transfer opened = simulated.segment(Direction::connected, {});
        opened.is_io_uring = true;
        opened.ends.local_port = 0;
        simulated.tracker.take(opened);
    };
    connect_aside();
    connect_aside(); // the first is over
    ASSERT_EQ(simulated.events.size(), 1U);
    EXPECT_EQ(simulated.only().connection_content, ConnectionReport::Content::io_uring);
    simulated.ask("GET /latest/meta-data/ami-id", "", ec2("ami-1")); // over the second, by ordinary calls
    ASSERT_EQ(simulated.events.size(), 2U);
    EXPECT_EQ(path_of(simulated.events[1]), "/latest/meta-data/ami-id");
    EXPECT_EQ(simulated.events[1].connection.ends.local_port, 40000) << "learned meanwhile";
    connect_aside();
    simulated.connect(); // by an ordinary call: a fourth
    simulated.close();
    ASSERT_EQ(simulated.events.size(), 4U);
    EXPECT_EQ(simulated.events[2].connection_content, ConnectionReport::Content::io_uring);
    EXPECT_EQ(simulated.events[3].connection_content, ConnectionReport::Content::no_bytes);
    connect_aside(); // its end is not seen
    simulated.tracker.tick(simulated.now + 120'000 * millisecond);
    EXPECT_EQ(simulated.events.size(), 5U);
    EXPECT_FALSE(simulated.tracker.has_connections());
    EXPECT_EQ(json::parse(simulated.json_lines.substr(
                  0, simulated.json_lines.find('\n')))["linux"]["imds"]["connection"]["content"],
              "io_uring");
}

TEST(ImdsConversation, TrafficWithoutContentIsToldWhileItLasts) {
    SimulatedConnection simulated;
    simulated.connect();
    simulated.hole(Direction::sent, 80);
    simulated.hole(Direction::received, 500);
    EXPECT_TRUE(simulated.events.empty());
    simulated.tracker.tick(simulated.now + 6000 * millisecond);
    EXPECT_EQ(simulated.only().connection_content, ConnectionReport::Content::not_captured);
    EXPECT_EQ(simulated.only().sent, 80U);
    EXPECT_EQ(simulated.only().received, 500U);
    simulated.close();
    EXPECT_EQ(simulated.events.size(), 1U);
}

TEST(ImdsConversation, ContradictingLengthsAreNotBelieved) {
    SimulatedConnection simulated;
    simulated.send(request("POST /latest/x", "Content-Length: 5\r\nContent-Length: 50\r\n", "hello"));
    simulated.send(request("GET /latest/meta-data/ami-id"));
    simulated.receive(ec2("a") + ec2("b"));
    simulated.close();
    ASSERT_FALSE(simulated.events.empty());
    EXPECT_TRUE(simulated.events.front().is_uncertain);
}

TEST(ImdsConversation, ALongHeadIsCutAndTheRestIsRead) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/meta-data/" + std::string(20'000, 'a'),
                  "X-Long: " + std::string(20'000, 'b') + "\r\n", ec2("1"));
    EXPECT_TRUE(simulated.only().is_cut);
    EXPECT_EQ(simulated.only().status, 200);
    EXPECT_LT(simulated.json_lines.size(), 16'000U);
    simulated.ask("GET /latest/meta-data/b", "", ec2("2"));
    EXPECT_EQ(simulated.events.size(), 2U);
}

TEST(ImdsConversation, MemoryIsBounded) {
    SimulatedConnection simulated;
    const std::string asked = request("GET /latest/meta-data/" + std::string(4000, 'a'));
    for (int i = 0; i < 500; ++i) // pipelined without ever an answer
        simulated.send(asked);
    simulated.tracker.finish();
    EXPECT_EQ(simulated.events.size(), 500U);
    EXPECT_GT(simulated.tracker.counters().conversations.reported_early, 400U);
}

TEST(ImdsConversation, PairsStayPairsWhenRequestsWereToldEarly) {
    SimulatedConnection simulated;
    for (int i = 0; i < 100; ++i)
        simulated.send(request("GET /latest/meta-data/" + std::string(4000, 'a') + std::to_string(i)));
    for (int i = 0; i < 99; ++i)
        simulated.receive(ec2("x"));
    const size_t before = simulated.events.size();
    simulated.receive(ec2("the last"));
    ASSERT_EQ(simulated.events.size(), before + 1);
    EXPECT_EQ(simulated.events.back().response_body_bytes, 8U);
    simulated.ask("GET /latest/meta-data/b", "", ec2("2"));
    EXPECT_EQ(path_of(simulated.events.back()), "/latest/meta-data/b");
}

TEST(ImdsConversation, TheSilentConnectionGoesFirst) {
    ImdsTracker::Options options = SimulatedConnection::in_order();
    options.connections.connections = 8;
    SimulatedConnection simulated(options);
    for (uint64_t socket = 1; socket <= 20; ++socket) {
        simulated.socket = socket;
        simulated.send(request("GET /latest/meta-data/" + std::to_string(socket)));
    }
    EXPECT_EQ(simulated.events.size(), 12U);
    EXPECT_EQ(simulated.tracker.counters().connections.evicted, 12U);
    EXPECT_EQ(path_of(simulated.events.front()), "/latest/meta-data/1");
    EXPECT_EQ(simulated.events.front().end, Exchange::End::evicted);
}

TEST(ImdsConversation, ACookieThatComesAgainWithOtherEndsIsAnotherSocket) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/a").substr(0, 20));
    simulated.ends.local_port = 40001;
    simulated.ask("GET /latest/meta-data/b", "", ec2("1"));
    ASSERT_EQ(simulated.events.size(), 2U);
    EXPECT_EQ(simulated.events[0].kind, ImdsEvent::Kind::connection);
    EXPECT_EQ(path_of(simulated.events[1]), "/latest/meta-data/b");
}

TEST(ImdsConversation, SegmentsOfSeveralCpusArePutInOrder) {
    ImdsTracker::Options options = SimulatedConnection::in_order();
    options.queue.wait_ns = 200 * millisecond;
    SimulatedConnection simulated(options);
    const std::string asked = request("GET /latest/meta-data/ami-id");
    std::vector<Transfer> segments = {
        simulated.segment(Direction::sent, std::string_view(asked).substr(0, 7)),
        simulated.segment(Direction::sent, std::string_view(asked).substr(7))};
    const std::string answer = ec2("ami-1");
    segments.push_back(simulated.segment(Direction::received, answer));
    for (const size_t i : {2, 1, 0})
        simulated.tracker.take(segments[i]);
    EXPECT_TRUE(simulated.events.empty());
    simulated.tracker.tick(simulated.now + 300 * millisecond);
    EXPECT_EQ(path_of(simulated.only()), "/latest/meta-data/ami-id");
    EXPECT_EQ(simulated.only().status, 200);
    EXPECT_EQ(simulated.tracker.counters().late_transfers, 0U);
}

TEST(ImdsConversation, OtherEndpointsAreNoneOfOurs) {
    SimulatedConnection simulated;
    simulated.ends = ends_to("192.0.2.1");
    EXPECT_FALSE(
        simulated.tracker.take(simulated.segment(Direction::sent, request("GET /latest/meta-data/"))));
    simulated.ends = ends_to("169.254.169.254", 8080);
    EXPECT_FALSE(
        simulated.tracker.take(simulated.segment(Direction::sent, request("GET /latest/meta-data/"))));
    simulated.ends = ends_to("::ffff:169.254.169.254");
    EXPECT_TRUE(
        simulated.tracker.take(simulated.segment(Direction::sent, request("GET /latest/meta-data/"))));
    simulated.tracker.finish();
    EXPECT_EQ(simulated.events.size(), 1U);
    EXPECT_EQ(simulated.tracker.counters().foreign_transfers, 2U);
}

TEST(ImdsConversation, WhoAskedAndWhoReadMayBeTwo) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/iam/security-credentials/web"));
    simulated.process.pid = simulated.process.tid = 5000;
    simulated.process.start_time_ns += 5;
    simulated.process.comm = "child";
    simulated.receive(ec2("{}"));
    ASSERT_TRUE(simulated.only().caller && simulated.only().reader);
    EXPECT_EQ(simulated.only().caller->process.event().pid, 4242U);
    EXPECT_EQ(simulated.only().reader->process.event().comm, "child");
    EXPECT_EQ(simulated.only_json()["linux"]["imds"]["reader"]["pid"], 5000);
}

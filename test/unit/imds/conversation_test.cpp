// SPDX-License-Identifier: MIT
// Reassembly, parsing and pairing: whatever the calls cut the bytes into.
#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// What matters of events, to compare whole runs.
std::string facts_of(const Scene& scene) {
    std::string facts;
    for (const ImdsEvent& event : scene.events)
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
    Scene scene;
    scene.send(sent_stream);
    scene.receive(received_stream);
    EXPECT_EQ(facts_of(scene), expected);
    scene.tracker.finish();
    EXPECT_EQ(scene.events.size(), 5U);
}

TEST(ImdsConversation, ByteByByte) {
    Scene scene;
    for (const char& c : sent_stream)
        scene.send({&c, 1});
    for (const char& c : received_stream)
        scene.receive({&c, 1});
    EXPECT_EQ(facts_of(scene), expected);
}

TEST(ImdsConversation, EverySplitOfBothDirections) {
    for (size_t at = 1; at < std::max(sent_stream.size(), received_stream.size()); ++at) {
        Scene scene;
        const size_t sent = std::min(at, sent_stream.size());
        scene.send(std::string_view(sent_stream).substr(0, sent));
        scene.send(std::string_view(sent_stream).substr(sent));
        const size_t received = std::min(at, received_stream.size());
        scene.receive(std::string_view(received_stream).substr(0, received));
        if (received < received_stream.size())
            scene.receive(std::string_view(received_stream).substr(received));
        ASSERT_EQ(facts_of(scene), expected) << "split at " << at;
    }
}

TEST(ImdsConversation, TruncatedAtEveryByteTellsWhatCameAndNothingElse) {
    for (size_t at = 0; at <= sent_stream.size(); ++at) {
        Scene scene;
        scene.connect();
        scene.send(std::string_view(sent_stream).substr(0, at));
        scene.receive(received_stream);
        scene.close();
        ASSERT_GE(scene.events.size(), 1U) << at;
        ASSERT_EQ(scene.tracker.counters().connections.opened, 1U);
        for (const ImdsEvent& event : scene.events)
            if (event.has_request) {
                ASSERT_THAT(expected, HasSubstr(event.method.text() + ' ' + event.path.text())) << at;
            }
    }
    for (size_t at = 0; at <= received_stream.size(); ++at) {
        Scene scene;
        scene.send(sent_stream);
        if (at)
            scene.receive(std::string_view(received_stream).substr(0, at));
        scene.close();
        ASSERT_EQ(scene.events.size(), 5U) << at;
    }
}

TEST(ImdsConversation, LatencyIsFromTheLastByteAskedToTheFirstAnswered) {
    Scene scene;
    const std::string asked = request("GET /latest/meta-data/");
    scene.send(asked.substr(0, 10));
    scene.send(asked.substr(10));
    scene.now += 40 * millisecond;
    scene.receive(ec2("x"));
    ASSERT_TRUE(scene.only().latency_ns.has_value());
    EXPECT_EQ(*scene.only().latency_ns, 41 * millisecond);
    EXPECT_EQ(scene.only().time_ns, start_ns + millisecond);
}

TEST(ImdsConversation, ABodyThatWasNotCapturedIsSkippedByItsLength) {
    Scene scene;
    scene.send(request("GET /latest/user-data"));
    const std::string head = "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Length: 300000\r\n\r\n";
    scene.hole(Direction::received, head.size() + 100'000, head + std::string(4000, 'x'));
    scene.hole(Direction::received, 150'000);
    scene.hole(Direction::received, 50'000, std::string(4096, 'y'));
    scene.ask("GET /latest/meta-data/ami-id", "", ec2("ami-1"));
    ASSERT_EQ(scene.events.size(), 2U);
    EXPECT_EQ(scene.events[0].response_body_bytes, 300'000U);
    EXPECT_EQ(scene.events[0].response_body_missing, 300'000U - 4000 - 4096);
    EXPECT_TRUE(scene.events[0].is_response_complete);
    EXPECT_FALSE(scene.events[0].is_uncertain);
    EXPECT_EQ(path_of(scene.events[1]), "/latest/meta-data/ami-id");
    EXPECT_EQ(scene.events[1].status, 200);
    EXPECT_EQ(scene.tracker.counters().conversations.gap_bytes, 300'000U - 8096);
}

TEST(ImdsConversation, ABodyUntilTheEndOfTheConnection) {
    Scene scene;
    scene.send(request("GET /latest/meta-data/"));
    scene.receive("HTTP/1.0 200 OK\r\nServer: EC2ws\r\n\r\nami-id\n");
    scene.receive("hostname\n");
    EXPECT_TRUE(scene.events.empty());
    scene.peer_ends();
    EXPECT_EQ(scene.only().response_body_bytes, 16U);
    EXPECT_TRUE(scene.only().is_response_complete);
}

TEST(ImdsConversation, ARequestWithoutAnswer) {
    Scene scene;
    scene.send(request("GET /latest/meta-data/iam/security-credentials/web"));
    scene.close();
    EXPECT_EQ(scene.only().end, Exchange::End::closed);
    EXPECT_FALSE(scene.only().has_response);
    EXPECT_EQ(scene.only().version, Version::v1);
    EXPECT_EQ(scene.only().request_class, RequestClass::credentials);
}

TEST(ImdsConversation, ASlowServerIsToldAndItsAnswerToo) {
    Scene scene;
    scene.send(request("GET /latest/meta-data/iam/info"));
    scene.tracker.tick(scene.now + 59'000 * millisecond);
    EXPECT_TRUE(scene.events.empty());
    scene.tracker.tick(scene.now += 61'000 * millisecond);
    EXPECT_EQ(scene.only().end, Exchange::End::timed_out);
    scene.receive(ec2("{}"));
    ASSERT_EQ(scene.events.size(), 2U);
    EXPECT_TRUE(scene.events[1].is_late);
    EXPECT_EQ(path_of(scene.events[1]), "/latest/meta-data/iam/info");
    EXPECT_EQ(scene.events[1].status, 200);
    EXPECT_EQ(scene.summary.rows().begin()->second.v1, 1U); // counted once
}

TEST(ImdsConversation, AHoleInARequestLosesThatOneAlone) {
    Scene scene;
    scene.ask("GET /latest/meta-data/a", "", ec2("1"));
    scene.hole(Direction::sent, 100); // a request that nobody saw
    scene.receive(ec2("22"));
    scene.ask("GET /latest/meta-data/c", "", ec2("333"));
    ASSERT_EQ(scene.events.size(), 3U);
    EXPECT_FALSE(scene.events[1].has_request);
    EXPECT_EQ(scene.events[1].version, Version::unknown);
    EXPECT_TRUE(scene.events[1].is_uncertain);
    EXPECT_EQ(path_of(scene.events[2]), "/latest/meta-data/c");
    EXPECT_EQ(scene.events[2].response_body_bytes, 3U);
    EXPECT_FALSE(scene.events[2].is_uncertain);
}

TEST(ImdsConversation, AHoleInAResponseLosesThatOneAlone) {
    Scene scene;
    scene.send(request("GET /latest/meta-data/a"));
    scene.hole(Direction::received, 200);
    scene.ask("GET /latest/meta-data/b", "", ec2("22"));
    ASSERT_EQ(scene.events.size(), 2U);
    EXPECT_EQ(scene.events[0].end, Exchange::End::unseen);
    EXPECT_EQ(path_of(scene.events[1]), "/latest/meta-data/b");
    EXPECT_EQ(scene.events[1].response_body_bytes, 2U);
}

TEST(ImdsConversation, SeenFromTheMiddleOn) {
    Scene scene;
    scene.receive("rest of a body\n");
    scene.ask("GET /latest/meta-data/ami-id", "", ec2("ami-1"));
    ASSERT_EQ(scene.events.size(), 1U);
    EXPECT_EQ(path_of(scene.only()), "/latest/meta-data/ami-id");
    EXPECT_EQ(scene.only().status, 200);
}

TEST(ImdsConversation, GarbageIsAConnection) {
    for (const std::string& bytes : samples::hostile_strings()) {
        Scene scene;
        scene.connect();
        if (!bytes.empty()) {
            scene.send(bytes);
            scene.receive(bytes);
        }
        scene.close();
        ASSERT_EQ(scene.events.size(), 1U) << bytes;
        EXPECT_EQ(scene.only().kind, ImdsEvent::Kind::connection);
        EXPECT_EQ(scene.only().connection_content,
                  bytes.empty() ? ConnectionReport::Content::no_bytes : ConnectionReport::Content::not_http);
    }
}

/// io_uring's connections have no port yet when they are told, and sockets are used again.
TEST(ImdsConversation, OpenedAsideBySocketsUsedAgain) {
    Scene scene;
    const auto connect_aside = [&] {
        Transfer opened = scene.segment(Direction::connected, {});
        opened.is_io_uring = true;
        opened.ends.local_port = 0;
        scene.tracker.take(opened);
    };
    connect_aside();
    connect_aside(); // the first is over
    ASSERT_EQ(scene.events.size(), 1U);
    EXPECT_EQ(scene.only().connection_content, ConnectionReport::Content::io_uring);
    scene.ask("GET /latest/meta-data/ami-id", "", ec2("ami-1")); // over the second, by ordinary calls
    ASSERT_EQ(scene.events.size(), 2U);
    EXPECT_EQ(path_of(scene.events[1]), "/latest/meta-data/ami-id");
    EXPECT_EQ(scene.events[1].connection.ends.local_port, 40000) << "learned meanwhile";
    connect_aside();
    scene.connect(); // by an ordinary call: a fourth
    scene.close();
    ASSERT_EQ(scene.events.size(), 4U);
    EXPECT_EQ(scene.events[2].connection_content, ConnectionReport::Content::io_uring);
    EXPECT_EQ(scene.events[3].connection_content, ConnectionReport::Content::no_bytes);
    connect_aside(); // its end is not seen
    scene.tracker.tick(scene.now + 120'000 * millisecond);
    EXPECT_EQ(scene.events.size(), 5U);
    EXPECT_FALSE(scene.tracker.has_connections());
    EXPECT_EQ(json::parse(scene.json_lines.substr(
                  0, scene.json_lines.find('\n')))["linux"]["imds"]["connection"]["content"],
              "io_uring");
}

TEST(ImdsConversation, TrafficWithoutContentIsToldWhileItLasts) {
    Scene scene;
    scene.connect();
    scene.hole(Direction::sent, 80);
    scene.hole(Direction::received, 500);
    EXPECT_TRUE(scene.events.empty());
    scene.tracker.tick(scene.now + 6000 * millisecond);
    EXPECT_EQ(scene.only().connection_content, ConnectionReport::Content::not_captured);
    EXPECT_EQ(scene.only().sent, 80U);
    EXPECT_EQ(scene.only().received, 500U);
    scene.close();
    EXPECT_EQ(scene.events.size(), 1U);
}

TEST(ImdsConversation, ContradictingLengthsAreNotBelieved) {
    Scene scene;
    scene.send(request("POST /latest/x", "Content-Length: 5\r\nContent-Length: 50\r\n", "hello"));
    scene.send(request("GET /latest/meta-data/ami-id"));
    scene.receive(ec2("a") + ec2("b"));
    scene.close();
    ASSERT_FALSE(scene.events.empty());
    EXPECT_TRUE(scene.events.front().is_uncertain);
}

TEST(ImdsConversation, ALongHeadIsCutAndTheRestIsRead) {
    Scene scene;
    scene.ask("GET /latest/meta-data/" + std::string(20'000, 'a'),
              "X-Long: " + std::string(20'000, 'b') + "\r\n", ec2("1"));
    EXPECT_TRUE(scene.only().is_cut);
    EXPECT_EQ(scene.only().status, 200);
    EXPECT_LT(scene.json_lines.size(), 16'000U);
    scene.ask("GET /latest/meta-data/b", "", ec2("2"));
    EXPECT_EQ(scene.events.size(), 2U);
}

TEST(ImdsConversation, MemoryIsBounded) {
    Scene scene;
    const std::string asked = request("GET /latest/meta-data/" + std::string(4000, 'a'));
    for (int i = 0; i < 500; ++i) // pipelined without ever an answer
        scene.send(asked);
    scene.tracker.finish();
    EXPECT_EQ(scene.events.size(), 500U);
    EXPECT_GT(scene.tracker.counters().conversations.reported_early, 400U);
}

TEST(ImdsConversation, PairsStayPairsWhenRequestsWereToldEarly) {
    Scene scene;
    for (int i = 0; i < 100; ++i)
        scene.send(request("GET /latest/meta-data/" + std::string(4000, 'a') + std::to_string(i)));
    for (int i = 0; i < 99; ++i)
        scene.receive(ec2("x"));
    const size_t before = scene.events.size();
    scene.receive(ec2("the last"));
    ASSERT_EQ(scene.events.size(), before + 1);
    EXPECT_EQ(scene.events.back().response_body_bytes, 8U);
    scene.ask("GET /latest/meta-data/b", "", ec2("2"));
    EXPECT_EQ(path_of(scene.events.back()), "/latest/meta-data/b");
}

TEST(ImdsConversation, TheSilentConnectionGoesFirst) {
    ImdsTracker::Options options = Scene::in_order();
    options.connections.connections = 8;
    Scene scene(options);
    for (uint64_t socket = 1; socket <= 20; ++socket) {
        scene.socket = socket;
        scene.send(request("GET /latest/meta-data/" + std::to_string(socket)));
    }
    EXPECT_EQ(scene.events.size(), 12U);
    EXPECT_EQ(scene.tracker.counters().connections.evicted, 12U);
    EXPECT_EQ(path_of(scene.events.front()), "/latest/meta-data/1");
    EXPECT_EQ(scene.events.front().end, Exchange::End::evicted);
}

TEST(ImdsConversation, ACookieThatComesAgainWithOtherEndsIsAnotherSocket) {
    Scene scene;
    scene.send(request("GET /latest/meta-data/a").substr(0, 20));
    scene.ends.local_port = 40001;
    scene.ask("GET /latest/meta-data/b", "", ec2("1"));
    ASSERT_EQ(scene.events.size(), 2U);
    EXPECT_EQ(scene.events[0].kind, ImdsEvent::Kind::connection);
    EXPECT_EQ(path_of(scene.events[1]), "/latest/meta-data/b");
}

TEST(ImdsConversation, SegmentsOfSeveralCpusArePutInOrder) {
    ImdsTracker::Options options = Scene::in_order();
    options.queue.wait_ns = 200 * millisecond;
    Scene scene(options);
    const std::string asked = request("GET /latest/meta-data/ami-id");
    std::vector<Transfer> segments = {scene.segment(Direction::sent, std::string_view(asked).substr(0, 7)),
                                      scene.segment(Direction::sent, std::string_view(asked).substr(7))};
    const std::string answer = ec2("ami-1");
    segments.push_back(scene.segment(Direction::received, answer));
    for (const size_t i : {2, 1, 0})
        scene.tracker.take(segments[i]);
    EXPECT_TRUE(scene.events.empty());
    scene.tracker.tick(scene.now + 300 * millisecond);
    EXPECT_EQ(path_of(scene.only()), "/latest/meta-data/ami-id");
    EXPECT_EQ(scene.only().status, 200);
    EXPECT_EQ(scene.tracker.counters().late_transfers, 0U);
}

TEST(ImdsConversation, OtherEndpointsAreNoneOfOurs) {
    Scene scene;
    scene.ends = ends_to("192.0.2.1");
    EXPECT_FALSE(scene.tracker.take(scene.segment(Direction::sent, request("GET /latest/meta-data/"))));
    scene.ends = ends_to("169.254.169.254", 8080);
    EXPECT_FALSE(scene.tracker.take(scene.segment(Direction::sent, request("GET /latest/meta-data/"))));
    scene.ends = ends_to("::ffff:169.254.169.254");
    EXPECT_TRUE(scene.tracker.take(scene.segment(Direction::sent, request("GET /latest/meta-data/"))));
    scene.tracker.finish();
    EXPECT_EQ(scene.events.size(), 1U);
    EXPECT_EQ(scene.tracker.counters().foreign_transfers, 2U);
}

TEST(ImdsConversation, WhoAskedAndWhoReadMayBeTwo) {
    Scene scene;
    scene.send(request("GET /latest/meta-data/iam/security-credentials/web"));
    scene.process.pid = scene.process.tid = 5000;
    scene.process.start_time_ns += 5;
    scene.process.comm = "child";
    scene.receive(ec2("{}"));
    ASSERT_TRUE(scene.only().caller && scene.only().reader);
    EXPECT_EQ(scene.only().caller->process.event().pid, 4242U);
    EXPECT_EQ(scene.only().reader->process.event().comm, "child");
    EXPECT_EQ(scene.only_json()["linux"]["imds"]["reader"]["pid"], 5000);
}

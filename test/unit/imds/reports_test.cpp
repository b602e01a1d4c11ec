// SPDX-License-Identifier: MIT
// What reports say where it was wrong once: times, heads with holes, bodies that are packed.
#include <zlib.h>

#include "imds/http/content_coding.hpp"
#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;
using testing::HasSubstr;

namespace {

enum class Wrapping { raw = -MAX_WBITS, zlib = MAX_WBITS, gzip = MAX_WBITS + 16 };

std::string packed(const std::string& text, Wrapping wrapping) {
    z_stream stream = {};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, static_cast<int>(wrapping), 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

const std::string secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const std::string credentials =
    R"({"Code":"Success","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":")" + secret + "\"}";

/// A response for credentials whose body is coded.
std::string coded(const std::string& coding, const std::string& body) {
    return response("200 OK", "Server: EC2ws\r\nContent-Encoding: " + coding + "\r\n", body);
}

constexpr const char* ask_credentials = "GET /latest/meta-data/iam/security-credentials/web";

} // namespace

/// The clock is ahead of the segments that wait to be put in order.
TEST(ImdsTimes, AreThoseOfTheBytes) {
    ImdsTracker::Options options = SimulatedConnection::in_order();
    options.queue.wait_ns = 200 * millisecond;
    SimulatedConnection simulated(options);
    for (int i = 0; i < 3; ++i) {
        const uint64_t asked = simulated.now + millisecond;
        simulated.send(request("GET /latest/meta-data/x" + std::to_string(i)));
        simulated.now += 2 * millisecond;
        simulated.receive(ec2("x"));
        simulated.now += 90 * millisecond;
        for (int ticks = 0; ticks < 4; ++ticks)
            simulated.tracker.tick(simulated.now += 100 * millisecond);
        ASSERT_EQ(simulated.events.size(), static_cast<size_t>(i) + 1);
        EXPECT_EQ(simulated.events.back().time_ns, asked);
        EXPECT_EQ(simulated.events.back().latency_ns, 3 * millisecond);
    }
}

TEST(ImdsTimes, OfATimeOutToo) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/x"));
    const uint64_t asked = simulated.now;
    simulated.tracker.tick(simulated.now + 1000 * millisecond);
    simulated.tracker.tick(simulated.now + 61'000 * millisecond);
    EXPECT_EQ(simulated.only().end, Exchange::End::timed_out);
    EXPECT_EQ(simulated.only().time_ns, asked);
}

/// A call that moves more than is captured leaves a hole behind what is.
TEST(ImdsHeads, WithAHoleAreReportedByTheirBeginning) {
    for (const size_t captured : {60U, 100U, 16'384U}) {
        SimulatedConnection simulated;
        const std::string head = "GET /latest/meta-data/big HTTP/1.1\r\nHost: 169.254.169.254\r\nCookie: " +
                                 std::string(40'000, 'c') + "\r\nX-aws-ec2-metadata-token: AQAEAtok\r\n\r\n";
        simulated.hole(Direction::sent, head.size(), std::string_view(head).substr(0, captured));
        simulated.receive(ec2("x"));
        const ImdsEvent& event = simulated.only();
        EXPECT_EQ(event.method.text(), "GET");
        EXPECT_EQ(path_of(event), "/latest/meta-data/big");
        EXPECT_EQ(event.host.text(), "169.254.169.254");
        EXPECT_EQ(event.status, 200);
        EXPECT_EQ(event.version, Version::unknown) << "the token may be in the hole";
        EXPECT_TRUE(event.is_cut);
        EXPECT_THAT(simulated.text_lines, HasSubstr("cut=yes"));
        simulated.ask("GET /latest/meta-data/next", "", ec2("y"));
        ASSERT_EQ(simulated.events.size(), 2U);
        EXPECT_EQ(path_of(simulated.events[1]), "/latest/meta-data/next");
    }
}

TEST(ImdsHeads, WithAHoleInTheRequestLineToo) {
    SimulatedConnection simulated;
    const std::string head = "GET /latest/meta-data/" + std::string(20'000, 'x');
    simulated.hole(Direction::sent, 30'000, std::string_view(head).substr(0, 16'384));
    simulated.receive(ec2("x"));
    EXPECT_EQ(simulated.only().method.text(), "GET");
    EXPECT_THAT(path_of(simulated.only()), testing::StartsWith("/latest/meta-data/"));
    EXPECT_TRUE(simulated.only().is_cut);
}

TEST(ImdsHeads, OfAResponseWithAHole) {
    SimulatedConnection simulated;
    simulated.send(request("GET /latest/meta-data/x"));
    simulated.hole(Direction::received, 30'000, "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nSet-Cookie: cccc");
    const ImdsEvent& event = simulated.only();
    EXPECT_EQ(event.status, 200);
    EXPECT_EQ(event.provider, Provider::aws);
    EXPECT_TRUE(event.is_cut);
    EXPECT_FALSE(event.is_response_complete);
}

TEST(ImdsBodies, ThatArePackedAreRead) {
    for (const auto& [coding, wrapping] : {std::pair("gzip", Wrapping::gzip),
                                           {"x-GZIP", Wrapping::gzip},
                                           {"deflate", Wrapping::zlib},
                                           {"deflate", Wrapping::raw}}) {
        SimulatedConnection simulated;
        const std::string argv = samples::string_list({"use", secret});
        simulated.process.image.argv = samples::known<telemetry::StringList>(argv);
        simulated.ask(ask_credentials, "", coded(coding, packed(credentials, wrapping)));
        const json made = simulated.only_json();
        EXPECT_EQ(made["linux"]["imds"]["access_key_id"], "ASIAEXAMPLE") << coding;
        EXPECT_FALSE(made["linux"]["imds"].contains("packed"));
        EXPECT_EQ(made["process"]["args"][1], "<redacted:40>") << "its secrets are learned";
    }
}

TEST(ImdsBodies, ThatAreCutAreReadAsFarAsTheyGo) {
    SimulatedConnection simulated;
    std::string padded = credentials;
    padded.pop_back();
    uint32_t noise = 1;
    padded += ",\"more\":\"";
    for (int i = 0; i < 20'000; ++i)
        padded += static_cast<char>('a' + (noise = noise * 1664525 + 1013904223) % 26);
    const std::string body = packed(padded + "\"}", Wrapping::gzip);
    simulated.send(request(ask_credentials));
    const std::string answer = coded("gzip", body);
    simulated.hole(Direction::received, answer.size(), std::string_view(answer).substr(0, 8000));
    simulated.close();
    EXPECT_EQ(simulated.only_json()["linux"]["imds"]["access_key_id"], "ASIAEXAMPLE");
}

TEST(ImdsBodies, ThatCannotBeReadSaySo) {
    for (const auto& [coding, body] : {std::pair<std::string, std::string>("br", "\x8b\x02\x80"),
                                       {"gzip", "no gzip at all"},
                                       {"zstd", "x"},
                                       {"gzip, br", packed(credentials, Wrapping::gzip)},
                                       {"deflate", "\xff\xff"}}) {
        SimulatedConnection simulated;
        simulated.ask(ask_credentials, "", coded(coding, body));
        EXPECT_EQ(simulated.only_json()["linux"]["imds"]["packed"], true) << coding;
        EXPECT_THAT(simulated.text_lines, HasSubstr(" packed=yes"));
    }
    SimulatedConnection plain;
    plain.ask("GET /latest/meta-data/hostname", "", coded("br", "x"));
    EXPECT_FALSE(plain.only_json()["linux"]["imds"].contains("packed")) << "nothing is looked for there";
    SimulatedConnection identity;
    identity.ask(ask_credentials, "", coded("identity", credentials));
    EXPECT_EQ(identity.only_json()["linux"]["imds"]["access_key_id"], "ASIAEXAMPLE");
}

TEST(ImdsBodies, AreUnpackedUpToALimit) {
    const std::string bomb = packed(std::string(20 << 20, 'a'), Wrapping::gzip);
    ASSERT_LT(bomb.size(), 32U << 10);
    const auto plain = unpacked(bomb, BodyCoding::gzip);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->size(), most_unpacked);
    EXPECT_FALSE(unpacked("", BodyCoding::gzip));
    EXPECT_EQ(unpacked("x", BodyCoding::none), "x");
}

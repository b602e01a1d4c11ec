// SPDX-License-Identifier: MIT
// Conversations with metadata services, made by hand.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "imds/app/tracker.hpp"
#include "imds/output/formatter.hpp"
#include "imds/output/summary.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/support/local_route.hpp"

namespace imds_test {

using namespace telemetry::imds;
using nlohmann::json;
using telemetry::CapabilitySets;
using telemetry::container_of;
using telemetry::Event;
using telemetry::Lineage;
using telemetry::ProcessFacts;
using telemetry::SocketInfo;

constexpr uint64_t start_ns = 1'763'759'765'000'000'000;
constexpr uint64_t millisecond = 1'000'000;

inline SocketInfo ends_to(const std::string& address, uint16_t port = 80) {
    SocketInfo ends;
    ends.protocol = IPPROTO_TCP;
    ends.type = SOCK_STREAM;
    ends.local_port = 40000;
    ends.remote_port = port;
    if (inet_pton(AF_INET, address.c_str(), ends.remote.data()) == 1)
        ends.family = AF_INET;
    else if (inet_pton(AF_INET6, address.c_str(), ends.remote.data()) == 1)
        ends.family = AF_INET6;
    else
        throw std::runtime_error("no address: " + address);
    ends.local[0] = 10;
    return ends;
}

inline std::string request(const std::string& line, const std::string& headers = "",
                           const std::string& body = "") {
    return line + " HTTP/1.1\r\nHost: 169.254.169.254\r\nUser-Agent: curl/7.88.1\r\n" + headers + "\r\n" +
           body;
}

inline std::string response(const std::string& status, const std::string& headers, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

/// What a service answers that is Amazon's.
inline std::string ec2(const std::string& body, const std::string& status = "200 OK") {
    return response(status, "Content-Type: text/plain\r\nServer: EC2ws\r\n", body);
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// A tracker with all that comes out of it.
class SimulatedConnection {
  public:
    explicit SimulatedConnection(ImdsTracker::Options options = in_order())
        : process(samples::event()),
          tracker(with_route(std::move(options)), [this](const ImdsEvent& e) { note(e); }) {}

    static ImdsTracker::Options with_route(ImdsTracker::Options options) {
        if (!options.route)
            options.route = std::make_shared<LocalRoute>();
        return options;
    }
    static ImdsTracker::Options in_order() {
        ImdsTracker::Options options;
        options.proc_root = "/nonexistent";
        options.queue.wait_ns = 0;
        options.connections.queue.batch_bytes = 0;
        return options;
    }

    Transfer segment(Direction direction, std::string_view bytes) {
        Transfer made;
        made.time_ns = now += millisecond;
        made.pid = process.pid;
        made.tid = process.tid;
        made.start_time_ns = process.start_time_ns;
        made.process = &process;
        made.socket = socket;
        made.netns = 4026531840;
        made.ends = ends;
        made.direction = direction;
        made.length = bytes.size();
        made.bytes = bytes_of(bytes);
        return made;
    }
    void send(std::string_view bytes) { tracker.take(segment(Direction::sent, bytes)); }
    void receive(std::string_view bytes) { tracker.take(segment(Direction::received, bytes)); }
    void hole(Direction direction, uint64_t length, std::string_view captured = {}) {
        Transfer made = segment(direction, captured);
        made.length = length;
        tracker.take(made);
    }
    void connect() { tracker.take(segment(Direction::connected, {})); }
    void close() { tracker.take(segment(Direction::closed, {})); }
    void peer_ends() { tracker.take(segment(Direction::received, {})); }

    void ask(const std::string& line, const std::string& headers, const std::string& answer) {
        send(request(line, headers));
        receive(answer);
    }

    /// The only event there is.
    const ImdsEvent& only() {
        EXPECT_EQ(events.size(), 1U);
        if (events.empty())
            throw std::runtime_error("there is no event");
        return events.front();
    }
    json only_json() {
        only();
        return json::parse(json_lines);
    }

    Event process;
    SocketInfo ends = ends_to("169.254.169.254");
    uint64_t socket = 77;
    uint64_t now = start_ns;
    std::vector<ImdsEvent> events;
    std::string text_lines, json_lines;
    ImdsSummary summary;
    ImdsTracker tracker;

  private:
    void note(const ImdsEvent& event) {
        events.push_back(event);
        summary.count(event);
        text_->format(event, text_lines);
        json_->format(event, json_lines);
    }
    std::unique_ptr<ImdsFormatter> text_ = make_imds_text_formatter({samples::context(), false, {}});
    std::unique_ptr<ImdsFormatter> json_ = make_imds_json_formatter({samples::context(), false, {}});
};

inline std::string path_of(const ImdsEvent& event) {
    return event.path.text();
}

} // namespace imds_test

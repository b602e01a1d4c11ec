// SPDX-License-Identifier: MIT
// What must hold for any bytes over a connection to a metadata service; run by the fuzzer, and by
// the unit tests over the corpus.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "imds/app/tracker.hpp"
#include "imds/output/formatter.hpp"
#include "imds/output/summary.hpp"
#include "test/unit/support/local_route.hpp"

namespace imds_fuzz {

using namespace telemetry::imds;

[[noreturn]] inline void broken(const char* what) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// In the command line of every process here; no output may hold it.
inline constexpr std::string_view canary = "CANARY-5up3r-s3cr3t-t0k3n";

inline void check_lines(std::string_view lines, size_t events) {
    size_t ends = 0;
    for (const char c : lines) {
        ends += c == '\n';
        if (c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f))
            broken("a control byte in a line");
    }
    if (ends != events)
        broken("an event is not a line");
}

/// Takes pieces off the input: a byte of what to do, one of how much.
class Player {
  public:
    Player(ImdsTracker& tracker, std::string_view input) : tracker_(tracker), input_(input) {
        process_.pid = process_.tid = 4242;
        process_.start_time_ns = 1;
        process_.comm = "fuzz";
        process_.image.argv.bytes =
            std::string_view("curl\0-H\0X-aws-ec2-metadata-token: CANARY-5up3r-s3cr3t-t0k3n", 59);
        process_.image.argv.status = telemetry::Status::ok;
        constexpr uint8_t address[] = {169, 254, 169, 254};
        constexpr uint8_t ecs_address[] = {169, 254, 170, 2};
        ends_.family = ecs_ends_.family = 2;
        ends_.remote_port = ecs_ends_.remote_port = 80;
        std::memcpy(ends_.remote.data(), address, sizeof address);
        std::memcpy(ecs_ends_.remote.data(), ecs_address, sizeof ecs_address);
    }

    void play() {
        while (input_.size() >= 2)
            step();
    }

  private:
    void step() {
        const auto what = static_cast<uint8_t>(input_[0]);
        const size_t length = static_cast<uint8_t>(input_[1]) * (what & 0x80 ? 16U : 1U);
        input_.remove_prefix(2);
        const std::string_view bytes = input_.substr(0, length);
        Transfer segment;
        segment.time_ns = now_ += (what & 0x40) ? 7'000'000'000 : 1'000'000;
        segment.pid = segment.tid = 4242;
        segment.process = what & 0x20 ? nullptr : &process_;
        segment.socket = 1 + (what >> 2 & 1);
        segment.ends = segment.socket == 1 ? ends_ : ecs_ends_;
        segment.direction = static_cast<Direction>(what & 3);
        if (segment.direction == Direction::sent || segment.direction == Direction::received) {
            input_.remove_prefix(bytes.size());
            segment.bytes = std::as_bytes(std::span(bytes.data(), bytes.size()));
            segment.length = bytes.size() + (what & 0x08 ? length : 0);
        }
        tracker_.take(segment);
        if (!(what & 0x40))
            return;
        tracker_.tick(now_);
        if (length & 1) // a look that finds nothing open
            tracker_.take(OpenConnections(), now_ + 1, now_ + 2);
    }

    ImdsTracker& tracker_;
    std::string_view input_;
    telemetry::Event process_;
    telemetry::SocketInfo ends_, ecs_ends_;
    uint64_t now_ = 1'763'759'765'000'000'000;
};

/// `wait_ns`: of the queue that puts segments in order.
inline void run(std::string_view input, uint64_t wait_ns) {
    std::string text, json;
    size_t events = 0;
    ImdsSummary summary;
    const auto to_text = make_imds_text_formatter({});
    const auto to_json = make_imds_json_formatter({});
    static const ImdsTracker::Options usual; // parses the endpoints
    ImdsTracker::Options options = usual;
    options.proc_root = "/nonexistent";
    options.queue.wait_ns = wait_ns;
    options.route = std::make_shared<imds_test::LocalRoute>();
    options.connections.conversation.held_bytes = 4096;
    options.connections.conversation.pending = 8;
    ImdsTracker tracker(std::move(options), [&](const ImdsEvent& event) {
        ++events;
        to_text->format(event, text);
        to_json->format(event, json);
        summary.count(event);
    });
    Player(tracker, input).play();
    tracker.finish();
    check_lines(text, events);
    check_lines(json, events);
    for (const std::string* lines : {&text, &json})
        if (lines->find(canary) != lines->npos && input.find(canary) == input.npos)
            broken("a secret of the command line came out");
    if (tracker.counters().events != events)
        broken("events were not counted");
}

/// A helper that says what is in the input.
class FuzzedRoute final : public Route {
  public:
    explicit FuzzedRoute(std::string_view input) : input_(input) {}
    bool send(std::string_view) override { return true; }
    Outcome receive(telemetry::Packet& packet, Clock::time_point) override {
        packet.bytes = std::exchange(input_, {});
        return packet.bytes.empty() ? Outcome::ended : Outcome::packet;
    }
    void replace() override {}
    bool is_gone() const override { return false; }
    std::chrono::milliseconds patience() const override { return std::chrono::hours(1); }

  private:
    std::string input_;
};

inline void run_answers(std::string_view input) {
    std::string text;
    size_t events = 0;
    const auto to_text = make_imds_text_formatter({});
    static const ImdsTracker::Options usual;
    ImdsTracker::Options options = usual;
    options.proc_root = "/nonexistent";
    options.queue.wait_ns = 0;
    options.route = std::make_shared<FuzzedRoute>(input);
    ImdsTracker tracker(std::move(options), [&](const ImdsEvent& event) {
        ++events;
        to_text->format(event, text);
    });
    constexpr std::string_view moves("\1\10GET / HT", 10); // sent: eight bytes
    Player(tracker, moves).play();
    tracker.finish();
    check_lines(text, events);
    if (tracker.counters().events != events)
        broken("events were not counted");
}

inline void fuzz_imds(std::string_view input) {
    run(input, 0);
    run(input, 5'000'000);
    run_answers(input);
}

} // namespace imds_fuzz

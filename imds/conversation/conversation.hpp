// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "imds/conversation/conversation_limits.hpp"
#include "imds/http/parser.hpp"
#include "imds/model/exchange.hpp"
#include "imds/model/transfer.hpp"

namespace telemetry::imds {

/// Receives what a conversation reports.
class ConversationListener {
  public:
    virtual ~ConversationListener() = default;
    virtual void on_exchange(const Connection& connection, Exchange&& exchange) = 0;
    virtual void on_connection(const Connection& connection, const ConnectionReport& bare) = 0;
};

/// The HTTP conversation on one connection: finds the requests in one direction and the responses in the
/// other, and pairs them in order. Its memory is bounded.
class Conversation {
  public:
    Conversation(const Connection& connection, const ConversationLimits& limits,
                 ConversationCounters& counters, ConversationListener& listener);
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    /// Transfers have to come in order of time.
    void take(const Transfer& transfer, CallerNumber caller);
    /// What moved before is not known.
    void begin_in_the_middle();
    /// Reports requests that have waited too long, without their response.
    void tick(uint64_t now_ns);
    /// The connection has ended: reports everything that is still pending.
    void finish(Exchange::End end);

    const Connection& connection() const { return connection_; }
    /// Sets a port that was unknown before.
    void set_local_port(uint16_t port) { connection_.ends.local_port = port; }
    size_t held() const;
    /// All that was seen is reported.
    bool is_settled() const;
    /// The first of those whom a report may still name.
    CallerNumber oldest_caller() const;

  private:
    /// The byte stream of one direction: its parser, and the message that the parser is in.
    class Stream final : public HttpListener {
      public:
        Stream(HttpParser::Kind kind, Conversation& owner)
            : parser(kind, *this), owner_(owner), kind_(kind) {}

        void on_begin() override;
        Framing on_head(Head&& head) override;
        void on_body(std::string_view bytes) override;
        void on_body_gap(uint64_t length) override;
        void on_end(bool complete) override;
        void on_lost() override;

        HttpParser parser;
        Message message; ///< the current one
        bool is_open = false;
        bool has_head = false;
        bool is_taken = false; ///< the message was reported already: ignore the rest of it
        uint64_t position = 0; ///< bytes that this direction has moved

      private:
        Conversation& owner_;
        const HttpParser::Kind kind_;
    };

    struct Pending {
        Message request;
        bool is_head = false;     ///< its method is HEAD
        bool is_reported = false; ///< already reported without response; stays, so that the order is right
        bool is_uncertain = false;
    };

    void move(Stream& stream, const Transfer& transfer);
    void note_gap(Stream& stream, uint64_t length);
    void begin(Stream& stream);
    void end_request(bool complete);
    HttpListener::Framing begin_response();
    void end_response(bool complete);
    void lose(Stream& stream);
    void report(Exchange&& exchange);
    void report_pending(Pending& pending, Exchange::End end);
    void report_all_pending(Exchange::End end);
    void report_connection();
    void keep_body(Message& message, std::string_view bytes);
    void make_room();

    Connection connection_;
    const ConversationLimits& limits_;
    ConversationCounters& counters_;
    ConversationListener& listener_;
    Stream sent_, received_;
    std::deque<Pending> pending_;   ///< requests whose response is not complete
    bool is_informational_ = false; ///< the current response is a 1xx
    bool is_uncertain_ = false;
    bool has_reported_ = false;
    bool is_io_uring_ = false; ///< the connection was opened by io_uring
    uint64_t now_ns_ = 0;      ///< the clock; ahead of transfers that wait in the queue
    uint64_t bytes_ns_ = 0;    ///< the time of the current transfer
    uint64_t first_ns_ = 0;
    uint64_t captured_ = 0;
    size_t pending_bytes_ = 0;
    CallerNumber caller_ = 0;       ///< of the current transfer
    CallerNumber first_caller_ = 0; ///< who connected, or whose call was seen first
};

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imds/model/http_message.hpp"

namespace telemetry::imds {

/// Receives what a parser finds: for each message on_begin(), on_head(), on_body() any number of times, and
/// on_end(). on_lost() may come at any time: the parser is then in no message, and an unknown number of them
/// may have passed.
class HttpListener {
  public:
    enum class Framing : uint8_t { by_head, no_body, lost };

    virtual ~HttpListener() = default;
    virtual void on_begin() = 0;
    /// Returns how the end of the body is found: for a response that depends on its request.
    virtual Framing on_head(Head&& head) = 0;
    virtual void on_body(std::string_view bytes) = 0;
    virtual void on_body_gap(uint64_t length) = 0;
    /// `complete`: the message ended where its framing says, and not because the connection ended.
    virtual void on_end(bool complete) = 0;
    virtual void on_lost() = 0;
};

/// Parses one direction of a connection: pieces of any size, with gaps, with several messages in a piece, or
/// with no HTTP in them at all. Its memory is bounded by a line and the head of a message. No library is
/// used, because their parsers stop at the first missing byte, while this one has to resume after it.
class HttpParser {
  public:
    enum class Kind : uint8_t { request, response };

    HttpParser(Kind kind, HttpListener& listener) : kind_(kind), listener_(listener) {}

    void feed(std::string_view bytes);
    /// `length` bytes were moved but not captured.
    void gap(uint64_t length);
    /// The connection has ended.
    void close();

    bool is_lost() const { return state_ == State::lost; }
    /// Memory that is used for the current message.
    size_t held() const { return line_.capacity() + head_.target.size(); }

    static constexpr size_t line_limit = 8192;
    static constexpr size_t head_limit = 256 * 1024; ///< of a head: what is longer is not HTTP

  private:
    enum class State : uint8_t {
        between,    ///< after a message and before the next one
        start_line, ///< after its first byte
        headers,
        counted, ///< a body of known length
        chunk_size,
        chunk_data,
        chunk_end,
        trailers,
        until_close,
        lost,
    };

    size_t step(std::string_view bytes);
    size_t take_between(std::string_view bytes);
    size_t take_line(std::string_view bytes);
    size_t take_counted(std::string_view bytes);
    void end_line();
    void end_start_line();
    void end_header_line();
    void end_chunk_size();
    void take_header(std::string_view name, std::string_view value);
    void take_length(std::string_view value);
    void take_coding(std::string_view value);
    void begin_message();
    void end_head();
    void begin_body(HttpListener::Framing framing);
    void end_message(bool complete);
    void hand_over_beginning();
    void lose();
    void look_for_start();
    bool may_be_start(std::string_view line) const;
    bool parse_start(std::string_view line, bool is_cut);
    bool parse_request_line(std::string_view line, bool is_cut);
    bool parse_status_line(std::string_view line);

    const Kind kind_;
    HttpListener& listener_;
    State state_ = State::between;
    std::string line_;         ///< the current line so far, up to line_limit
    uint64_t line_length_ = 0; ///< including what exceeded line_limit
    uint64_t left_ = 0;        ///< bytes left of a body or a chunk
    Head head_;
    bool is_chunked_ = false;
    bool is_coded_ = false;   ///< a transfer coding whose last step is not "chunked"
    bool bad_length_ = false; ///< lengths that contradict each other or are not numbers
};

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imds/model/http_message.hpp"

namespace telemetry::imds {

/// What a parser finds, in order: begin, head, body..., end for each message. `lost` may come at
/// any time: no message is under way then, and an unknown number may have passed.
class HttpListener {
  public:
    enum class Framing : uint8_t { by_head, no_body, lost };

    virtual ~HttpListener() = default;
    virtual void on_begin() = 0;
    /// How the body is to be found: a response's depends on its request.
    virtual Framing on_head(Head&& head) = 0;
    virtual void on_body(std::string_view bytes) = 0;
    virtual void on_body_gap(uint64_t length) = 0;
    /// `complete`: it ended where its framing says, not where the connection did.
    virtual void on_end(bool complete) = 0;
    virtual void on_lost() = 0;
};

/// Takes one direction of a connection, as it comes: in pieces of any size, with gaps, with
/// several messages in a piece, or with no HTTP in it at all. Memory is bounded: that of a line
/// and of a message's head. It is no library's parser, since those end at the first byte that is
/// missing, while this one has to go on behind it.
class HttpParser {
  public:
    enum class Kind : uint8_t { request, response };

    HttpParser(Kind kind, HttpListener& listener) : kind_(kind), listener_(listener) {}

    void feed(std::string_view bytes);
    /// So many bytes moved that were not captured.
    void gap(uint64_t length);
    /// No more will come.
    void close();

    bool is_lost() const { return state_ == State::lost; }
    /// Bytes that are held for what is under way.
    size_t held() const { return line_.capacity() + head_.target.size(); }

    static constexpr size_t line_limit = 8192;
    static constexpr size_t head_limit = 256 * 1024; ///< of a head: more is no HTTP

  private:
    enum class State : uint8_t {
        between,    ///< messages
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
    void lose();
    void look_for_start();
    bool may_be_start(std::string_view line) const;
    bool parse_start(std::string_view line, bool is_cut);
    bool parse_request_line(std::string_view line, bool is_cut);
    bool parse_status_line(std::string_view line);

    const Kind kind_;
    HttpListener& listener_;
    State state_ = State::between;
    std::string line_;         ///< what is there of the line under way, up to line_limit
    uint64_t line_length_ = 0; ///< with what was cut
    uint64_t left_ = 0;        ///< of a body or a chunk
    Head head_;
    bool is_chunked_ = false;
    bool is_coded_ = false;   ///< a transfer coding that is not chunked at its end
    bool bad_length_ = false; ///< lengths that contradict each other, or are no numbers
};

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#include "imds/http/parser.hpp"

#include <algorithm>
#include <limits>

#include "imds/http/headers.hpp"
#include "imds/http/hex.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t longest_method = 24;
constexpr uint64_t longest_body = std::numeric_limits<int64_t>::max();

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Accepts nothing but digits, up to longest_body.
std::optional<uint64_t> parse_length(std::string_view text) {
    uint64_t value = 0;
    for (const char c : text) {
        if (!is_digit(c) || value > longest_body / 10)
            return std::nullopt;
        value = value * 10 + static_cast<uint64_t>(c - '0');
    }
    if (text.empty() || value > longest_body)
        return std::nullopt;
    return value;
}

/// The size at the start of a chunk; chunk extensions, after a semicolon, are ignored.
std::optional<uint64_t> parse_chunk_size(std::string_view line) {
    line = trimmed(line.substr(0, line.find(';')));
    if (line.empty() || line.size() > 15)
        return std::nullopt;
    uint64_t value = 0;
    for (const char c : line) {
        if (hex_value(c) < 0)
            return std::nullopt;
        value = value << 4 | static_cast<uint64_t>(hex_value(c));
    }
    return value;
}

} // namespace

void HttpParser::feed(std::string_view bytes) {
    // A call often begins where a message begins: a line so far that cannot begin one is dropped then.
    if (state_ == State::lost && !may_be_start(line_))
        line_.clear(), line_length_ = 0;
    while (!bytes.empty())
        bytes.remove_prefix(step(bytes));
}

/// Returns how many bytes it took: at least one.
size_t HttpParser::step(std::string_view bytes) {
    switch (state_) {
    case State::between:
        return take_between(bytes);
    case State::counted:
    case State::chunk_data:
        return take_counted(bytes);
    case State::until_close:
        listener_.on_body(bytes);
        return bytes.size();
    default:
        return take_line(bytes);
    }
}

/// Skips empty lines between messages.
size_t HttpParser::take_between(std::string_view bytes) {
    if (bytes.front() == '\r' || bytes.front() == '\n')
        return 1;
    state_ = State::start_line;
    begin_message();
    return take_line(bytes);
}

void HttpParser::begin_message() {
    head_ = Head();
    is_chunked_ = is_coded_ = bad_length_ = false;
    line_.clear();
    line_length_ = 0;
    listener_.on_begin();
}

size_t HttpParser::take_line(std::string_view bytes) {
    const size_t newline = bytes.find('\n');
    const size_t taken = newline == bytes.npos ? bytes.size() : newline;
    const size_t room = line_limit - std::min(line_.size(), line_limit);
    line_.append(bytes.substr(0, std::min(taken, room)));
    line_length_ += taken;
    head_.bytes += taken;
    if (newline == bytes.npos) {
        const bool is_too_long = state_ != State::lost && head_.bytes > head_limit;
        if (is_too_long || (state_ == State::start_line && !may_be_start(line_)))
            lose();
        return taken;
    }
    ++head_.bytes;
    if (!line_.empty() && line_.back() == '\r' && line_length_ == line_.size()) {
        line_.pop_back();
        --line_length_;
    }
    end_line();
    line_.clear();
    line_length_ = 0;
    return taken + 1;
}

void HttpParser::end_line() {
    switch (state_) {
    case State::start_line:
        return end_start_line();
    case State::headers:
        return end_header_line();
    case State::chunk_size:
        return end_chunk_size();
    case State::chunk_end: // the line end after the data of a chunk
        if (!line_.empty())
            return lose();
        state_ = State::chunk_size;
        return;
    case State::trailers:
        if (line_.empty())
            end_message(true);
        else if (head_.bytes > head_limit)
            lose();
        return;
    default:
        return look_for_start();
    }
}

void HttpParser::end_start_line() {
    if (!parse_start(line_, line_length_ > line_.size()))
        return lose();
    state_ = State::headers;
}

void HttpParser::end_header_line() {
    if (line_.empty())
        return end_head();
    if (head_.bytes > head_limit)
        return lose();
    head_.is_cut |= line_length_ > line_.size();
    const std::string_view line = line_;
    const size_t colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon)))
        return; // a continuation line (obs-fold) or no header: both are ignored
    take_header(line.substr(0, colon), trimmed(line.substr(colon + 1)));
}

void HttpParser::take_header(std::string_view name, std::string_view value) {
    if (equals_ignoring_case(name, "content-length"))
        return take_length(value);
    if (equals_ignoring_case(name, "transfer-encoding"))
        return take_coding(value);
    note_header(head_, name, value);
}

/// Lengths that differ, or are not numbers, are used for request smuggling: the length is unknown then.
void HttpParser::take_length(std::string_view value) {
    for (;;) { // some proxies join two headers to "5, 5"
        const size_t comma = value.find(',');
        const auto length = parse_length(trimmed(value.substr(0, comma)));
        if (!length || (head_.has_length && head_.content_length != *length))
            bad_length_ = true;
        else
            head_.content_length = *length, head_.has_length = true;
        if (comma == value.npos)
            return;
        value.remove_prefix(comma + 1);
    }
}

void HttpParser::take_coding(std::string_view value) {
    const size_t comma = value.rfind(',');
    const std::string_view last = trimmed(comma == value.npos ? value : value.substr(comma + 1));
    is_chunked_ = equals_ignoring_case(last, "chunked");
    is_coded_ = !is_chunked_ && !equals_ignoring_case(last, "identity");
}

void HttpParser::end_head() {
    const bool is_broken = bad_length_ && !is_chunked_;
    if (is_chunked_)
        head_.has_length = false;
    const Head& head = head_;
    const uint64_t length = head.content_length;
    const bool has_length = head.has_length;
    const uint64_t bytes = head.bytes;
    const auto framing = listener_.on_head(std::move(head_));
    head_ = Head();
    head_.content_length = length;
    head_.has_length = has_length;
    head_.bytes = bytes;
    if (framing == HttpListener::Framing::no_body)
        return end_message(true);
    if (is_broken)
        return lose();
    begin_body(framing);
}

void HttpParser::begin_body(HttpListener::Framing framing) {
    if (framing == HttpListener::Framing::lost)
        return lose();
    if (is_chunked_) {
        state_ = State::chunk_size;
    } else if (is_coded_) {
        if (kind_ == Kind::request)
            return lose();
        state_ = State::until_close;
    } else if (head_.has_length) {
        left_ = head_.content_length;
        state_ = State::counted;
        if (left_ == 0)
            end_message(true);
    } else if (kind_ == Kind::request) {
        end_message(true);
    } else {
        state_ = State::until_close;
    }
}

size_t HttpParser::take_counted(std::string_view bytes) {
    const std::string_view part = bytes.substr(0, std::min<uint64_t>(left_, bytes.size()));
    listener_.on_body(part);
    left_ -= part.size();
    if (left_ > 0)
        return part.size();
    if (state_ == State::counted)
        end_message(true);
    else
        state_ = State::chunk_end;
    return part.size();
}

void HttpParser::end_chunk_size() {
    const auto size = parse_chunk_size(line_);
    if (!size || line_length_ > line_.size())
        return lose();
    head_.bytes = 0; // from here on it counts the bytes of the trailers
    left_ = *size;
    state_ = left_ ? State::chunk_data : State::trailers;
}

void HttpParser::end_message(bool complete) {
    state_ = State::between;
    listener_.on_end(complete);
}

void HttpParser::gap(uint64_t length) {
    if (length == 0)
        return;
    const bool is_counted = state_ == State::counted || state_ == State::chunk_data;
    if (state_ == State::until_close)
        return listener_.on_body_gap(length);
    if (!is_counted || length > left_) { // the gap may contain the start of other messages
        hand_over_beginning();
        return lose();
    }
    listener_.on_body_gap(length);
    left_ -= length;
    if (left_ > 0)
        return;
    if (state_ == State::counted)
        end_message(true);
    else
        state_ = State::chunk_end;
}

/// Of a head that has a hole: what came before. A request line is worth more than the end of a long cookie.
void HttpParser::hand_over_beginning() {
    const bool has_start =
        state_ == State::headers || (state_ == State::start_line && parse_start(line_, true));
    if (!has_start)
        return;
    head_.is_cut = true;
    head_.has_length = false;
    listener_.on_head(std::move(head_));
    head_ = Head();
}

void HttpParser::close() {
    if (state_ == State::until_close)
        end_message(true);
    else if (state_ != State::between && state_ != State::lost)
        end_message(false);
    state_ = State::lost;
    line_.clear();
    line_length_ = 0;
}

void HttpParser::lose() {
    state_ = State::lost;
    line_.clear();
    line_length_ = 0;
    head_ = Head();
    listener_.on_lost();
}

/// Resumes at the first line that can be the start line of a message.
void HttpParser::look_for_start() {
    if (!may_be_start(line_) || line_.empty())
        return;
    Head before = std::move(head_);
    head_ = Head();
    if (!parse_start(line_, line_length_ > line_.size())) {
        head_ = std::move(before);
        return;
    }
    Head found = std::move(head_);
    const std::string line = std::move(line_);
    begin_message();
    head_ = std::move(found);
    head_.bytes = line.size() + 2;
    state_ = State::headers;
}

/// Can the line so far become a start line? This is checked early, so that other protocols use no memory.
bool HttpParser::may_be_start(std::string_view line) const {
    if (kind_ == Kind::response) {
        constexpr std::string_view begin = "HTTP/1.";
        const size_t common = std::min(line.size(), begin.size());
        return line.substr(0, common) == begin.substr(0, common);
    }
    const size_t blank = std::min(line.find(' '), line.size());
    if (blank > longest_method || (blank == 0 && !line.empty()))
        return false;
    return std::ranges::all_of(line.substr(0, blank), is_token_character);
}

bool HttpParser::parse_start(std::string_view line, bool is_cut) {
    head_.is_cut = is_cut;
    return kind_ == Kind::request ? parse_request_line(line, is_cut) : parse_status_line(line);
}

/// "GET /latest/meta-data/ HTTP/1.1"; of a line that was cut, the target is what there is of it.
bool HttpParser::parse_request_line(std::string_view line, bool is_cut) {
    const size_t first = line.find(' ');
    if (first == line.npos || first == 0 || first > longest_method || !is_token(line.substr(0, first)))
        return false;
    const std::string_view method = line.substr(0, first);
    std::string_view target = line.substr(first + 1);
    if (!is_cut) {
        constexpr std::string_view version = "HTTP/1.";
        const size_t last = target.rfind(' ');
        if (last == target.npos || target.substr(last + 1).size() != version.size() + 1 ||
            !target.substr(last + 1).starts_with(version) || !is_digit(target.back()))
            return false;
        target = target.substr(0, last);
    }
    if (target.empty())
        return false;
    head_.method = method;
    head_.target = Secret(std::string(target));
    head_.target_length = is_cut ? line_length_ - first - 1 : target.size();
    return true;
}

/// "HTTP/1.1 200 OK"; the reason phrase may be missing.
bool HttpParser::parse_status_line(std::string_view line) {
    constexpr std::string_view version = "HTTP/1.";
    if (line.size() < 12 || !line.starts_with(version) || !is_digit(line[7]) || line[8] != ' ')
        return false;
    if (line[9] < '1' || line[9] > '9' || !is_digit(line[10]) || !is_digit(line[11]))
        return false;
    if (line.size() > 12 && line[12] != ' ')
        return false;
    head_.status = static_cast<uint16_t>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
    return true;
}

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#include "imds/conversation/conversation.hpp"

#include <algorithm>
#include <utility>

namespace telemetry::imds {
namespace {

std::string_view view_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

size_t size_of(const Message& message) {
    size_t size = sizeof(message) + message.head.method.capacity() + message.head.target.size();
    for (const std::string& value : message.head.texts)
        size += value.capacity();
    for (const Secret& token : message.head.tokens)
        size += token.size();
    return size + message.body.size();
}

} // namespace

Conversation::Conversation(const Connection& connection, const ConversationLimits& limits,
                           ConversationCounters& counters, ConversationListener& listener)
    : connection_(connection), limits_(limits), counters_(counters), listener_(listener),
      sent_(HttpParser::Kind::request, *this), received_(HttpParser::Kind::response, *this) {}

void Conversation::begin_in_the_middle() {
    sent_.parser.gap(1);
    received_.parser.gap(1);
    has_reported_ = true; // that there is a connection
}

void Conversation::take(const Transfer& transfer, CallerNumber caller) {
    now_ns_ = std::max(now_ns_, transfer.time_ns);
    bytes_ns_ = transfer.time_ns;
    caller_ = caller;
    if (!first_caller_) {
        first_caller_ = caller;
        first_ns_ = transfer.time_ns;
    }
    is_io_uring_ |= transfer.is_io_uring;
    switch (transfer.direction) {
    case Direction::sent:
        return move(sent_, transfer);
    case Direction::received:
        if (transfer.length == 0)
            return received_.parser.close();
        return move(received_, transfer);
    case Direction::closed: // finish() reports what is left
    case Direction::connected:
        return;
    }
}

/// Bytes that moved after the captured ones are a gap.
void Conversation::move(Stream& stream, const Transfer& transfer) {
    const std::string_view bytes = view_of(transfer.bytes);
    const uint64_t length = std::max<uint64_t>(transfer.length, bytes.size());
    stream.position += length;
    captured_ += bytes.size();
    const uint64_t missing = length - bytes.size();
    stream.parser.feed(bytes);
    if (missing)
        note_gap(stream, missing);
    make_room();
}

void Conversation::note_gap(Stream& stream, uint64_t length) {
    counters_.gap_bytes += length;
    stream.parser.gap(length);
}

/// The first byte of a message.
void Conversation::begin(Stream& stream) {
    stream.message = Message();
    stream.message.begin_ns = stream.message.end_ns = bytes_ns_;
    stream.message.caller = caller_;
    stream.is_open = true;
    stream.has_head = stream.is_taken = false;
    if (&stream != &sent_)
        return;
    // A client that sends its next request has received the response, even if that was not captured.
    if (received_.parser.is_lost())
        report_all_pending(Exchange::End::unseen);
    if (pending_.empty() && !received_.is_open)
        is_uncertain_ = false;
}

void Conversation::end_request(bool complete) {
    const bool is_known = sent_.is_open && sent_.has_head && !sent_.is_taken;
    sent_.is_open = false;
    if (!is_known)
        return;
    sent_.message.is_complete = complete;
    sent_.message.end_ns = bytes_ns_;
    pending_bytes_ += size_of(sent_.message);
    const bool is_head = sent_.message.head.method == "HEAD";
    pending_.push_back({std::move(sent_.message), is_head, false, is_uncertain_});
    sent_.message = Message();
    if (pending_.size() <= limits_.pending)
        return;
    report_all_pending(Exchange::End::evicted); // no real client pipelines so many
    is_uncertain_ = true;
}

/// A response's head is complete: finds the request that it answers.
HttpListener::Framing Conversation::begin_response() {
    const Head& head = received_.message.head;
    is_informational_ = head.status < 200 && head.status != 101;
    if (is_informational_) {
        ++counters_.informational;
        return HttpListener::Framing::no_body;
    }
    if (pending_.empty() && sent_.is_open && sent_.has_head && !sent_.is_taken) {
        end_request(false); // the response came before the whole request was sent
        sent_.is_open = sent_.is_taken = true;
    }
    if (head.status == 101)
        return HttpListener::Framing::lost;
    const bool answers_head = !pending_.empty() && pending_.front().is_head;
    const bool is_empty = answers_head || head.status == 204 || head.status == 304;
    return is_empty ? HttpListener::Framing::no_body : HttpListener::Framing::by_head;
}

void Conversation::end_response(bool complete) {
    const bool is_known = received_.is_open && received_.has_head && !received_.is_taken;
    received_.is_open = false;
    if (!is_known)
        return;
    if (std::exchange(is_informational_, false))
        return;
    Exchange exchange;
    received_.message.is_complete = complete;
    received_.message.end_ns = bytes_ns_;
    exchange.response = std::move(received_.message);
    received_.message = Message();
    exchange.is_uncertain = is_uncertain_;
    if (!pending_.empty()) {
        Pending& first = pending_.front();
        pending_bytes_ -= size_of(first.request);
        exchange.is_late = first.is_reported;
        exchange.is_uncertain |= first.is_uncertain;
        if (!first.request.head.method.empty()) // an empty method: make_room() dropped the head
            exchange.request = std::move(first.request);
        pending_.pop_front();
    }
    report(std::move(exchange));
}

void Conversation::lose(Stream& stream) {
    ++counters_.lost_positions;
    is_uncertain_ = true;
    if (&stream == &sent_)
        end_request(false);
    else
        end_response(false);
    stream.is_open = false;
}

void Conversation::report(Exchange&& exchange) {
    for (const auto& message : {&exchange.request, &exchange.response}) {
        if (!*message)
            continue;
        counters_.cut_heads += (*message)->head.is_cut;
        counters_.cut_bodies += (*message)->body.size() + (*message)->body_missing < (*message)->body_bytes;
    }
    ++counters_.exchanges;
    has_reported_ = true;
    listener_.on_exchange(connection_, std::move(exchange));
}

/// The request stays in the queue until its response comes, so that the order is right.
void Conversation::report_pending(Pending& pending, Exchange::End end) {
    if (std::exchange(pending.is_reported, true))
        return;
    Exchange exchange;
    exchange.end = end;
    exchange.is_uncertain = is_uncertain_ || pending.is_uncertain;
    const size_t before = size_of(pending.request);
    exchange.request = pending.request;
    pending.request.body = Secret(); // the rest is needed if the response comes late
    pending_bytes_ -= before - size_of(pending.request);
    report(std::move(exchange));
}

void Conversation::report_all_pending(Exchange::End end) {
    for (Pending& pending : pending_)
        report_pending(pending, end);
    pending_.clear();
    pending_bytes_ = 0;
}

void Conversation::report_connection() {
    if (std::exchange(has_reported_, true))
        return;
    ++counters_.without_exchange;
    ConnectionReport bare;
    bare.time_ns = first_ns_;
    bare.caller = first_caller_;
    bare.sent = sent_.position;
    bare.received = received_.position;
    if (bare.sent + bare.received == 0)
        bare.content =
            is_io_uring_ ? ConnectionReport::Content::io_uring : ConnectionReport::Content::no_bytes;
    else
        bare.content =
            captured_ ? ConnectionReport::Content::not_http : ConnectionReport::Content::not_captured;
    listener_.on_connection(connection_, bare);
}

void Conversation::tick(uint64_t now_ns) {
    now_ns_ = std::max(now_ns_, now_ns);
    const auto is_old = [&](uint64_t time_ns) {
        return now_ns_ > time_ns && now_ns_ - time_ns > limits_.timeout_ns;
    };
    if (received_.is_open && received_.has_head && !received_.is_taken && is_old(received_.message.end_ns)) {
        end_response(false);
        received_.is_open = received_.is_taken = true;
    }
    for (Pending& pending : pending_)
        if (is_old(pending.request.end_ns) && !received_.is_open)
            report_pending(pending, Exchange::End::timed_out);
    const bool is_idle = pending_.empty() && !sent_.is_open && !received_.is_open;
    if (!has_reported_ && first_caller_ && is_idle && now_ns_ - first_ns_ > limits_.silence_ns)
        report_connection();
}

void Conversation::finish(Exchange::End end) {
    const bool is_unseen = received_.parser.is_lost() && received_.position > 0;
    sent_.parser.close();
    received_.parser.close();
    report_all_pending(is_unseen ? Exchange::End::unseen : end);
    if (first_caller_)
        report_connection();
}

void Conversation::keep_body(Message& message, std::string_view bytes) {
    const bool is_whole = message.body.size() == message.body_bytes; // all of it was stored so far
    message.body_bytes += bytes.size();
    if (!is_whole)
        return;
    const size_t used = held();
    const size_t room = used < limits_.held_bytes ? limits_.held_bytes - used : 0;
    const size_t more = limits_.body_bytes - std::min(limits_.body_bytes, message.body.size());
    message.body.append(bytes.substr(0, std::min(room, more)));
}

void Conversation::make_room() {
    for (Pending& pending : pending_) {
        if (held() <= limits_.held_bytes)
            return;
        if (pending.is_reported)
            continue;
        ++counters_.reported_early;
        report_pending(pending, Exchange::End::evicted);
        const size_t before = size_of(pending.request);
        pending.request.head = Head(); // a late response will be reported without a request
        pending_bytes_ -= before - size_of(pending.request);
    }
}

size_t Conversation::held() const {
    size_t size = pending_bytes_;
    for (const Stream* stream : {&sent_, &received_})
        size += stream->parser.held() + stream->message.body.size() + stream->message.head.target.size();
    return size;
}

bool Conversation::is_settled() const {
    return has_reported_ && pending_.empty() && !sent_.is_open && !received_.is_open;
}

CallerNumber Conversation::oldest_caller() const {
    CallerNumber oldest = has_reported_ ? caller_ : first_caller_;
    if (!pending_.empty())
        oldest = std::min(oldest, pending_.front().request.caller);
    for (const Stream* stream : {&sent_, &received_})
        if (stream->is_open)
            oldest = std::min(oldest, stream->message.caller);
    return oldest;
}

void Conversation::Stream::on_begin() {
    owner_.begin(*this);
}

HttpListener::Framing Conversation::Stream::on_head(Head&& head) {
    message.head = std::move(head);
    message.end_ns = owner_.bytes_ns_;
    has_head = true;
    return kind_ == HttpParser::Kind::request ? Framing::by_head : owner_.begin_response();
}

void Conversation::Stream::on_body(std::string_view bytes) {
    message.end_ns = owner_.bytes_ns_;
    if (!is_taken)
        owner_.keep_body(message, bytes);
}

void Conversation::Stream::on_body_gap(uint64_t length) {
    message.end_ns = owner_.bytes_ns_;
    message.body_bytes += length;
    message.body_missing += length;
}

void Conversation::Stream::on_end(bool complete) {
    if (kind_ == HttpParser::Kind::request)
        owner_.end_request(complete);
    else
        owner_.end_response(complete);
}

void Conversation::Stream::on_lost() {
    owner_.lose(*this);
}

} // namespace telemetry::imds

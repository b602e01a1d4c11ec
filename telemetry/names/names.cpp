// SPDX-License-Identifier: MIT
#include "telemetry/names/names.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/helper/packets.hpp"
#include "telemetry/names/lookup.hpp"

namespace telemetry {
namespace {

using namespace name_messages;
using Clock = Names::Clock;

constexpr std::chrono::milliseconds look_at_the_deadline{50};

/// Null: it makes no sense.
std::optional<Answer> read_answer(std::string_view bytes) {
    const auto answer = packets::take<Answer>(bytes);
    if (!answer || !bytes.empty() || answer->outcome > failed || answer->count > most_addresses ||
        (answer->outcome == found) != (answer->count > 0))
        return std::nullopt;
    const auto is_possible = [](const Address& address) {
        return address.family == 4 || address.family == 6;
    };
    if (!std::all_of(answer->addresses, answer->addresses + answer->count, is_possible))
        return std::nullopt;
    return answer;
}

std::string text_of(uint32_t outcome) {
    return outcome == unknown     ? "there is no such host"
           : outcome == no_answer ? "its name server does not answer"
                                  : "its name cannot be resolved";
}

/// Threads may still ask while the program ends.
struct Current {
    std::mutex mutex;
    std::shared_ptr<Names> names;
};

Current& current() {
    static Current& only = *new Current;
    return only;
}

std::shared_ptr<Names> current_names() {
    const std::lock_guard lock(current().mutex);
    return current().names;
}

} // namespace

Names::Names() : Names(serve_names, usual) {}

Names::Names(const Helper::Work& work, const Helper::Limits& limits)
    : helper_(work, limits), patience_(limits.answer) {}

std::vector<SocketAddress> Names::resolve(const std::string& host, uint16_t port, const Deadline& deadline,
                                          std::string& error) {
    if (auto numeric = numeric_address(host, port); !numeric.empty())
        return numeric;
    if (host.empty() || host.size() > longest_host || host.find('\0') != host.npos) {
        error = host + ": " + text_of(unknown);
        return {};
    }
    std::unique_lock lock(mutex_, std::defer_lock);
    while (!lock.try_lock_for(look_at_the_deadline))
        if (Clock::now() >= deadline()) {
            error = host + ": another name is still being resolved";
            return {};
        }
    return ask(host, port, deadline, error);
}

std::vector<SocketAddress> Names::ask(const std::string& host, uint16_t port, const Deadline& deadline,
                                      std::string& error) {
    const auto end = Clock::now() + patience_;
    std::string bytes;
    const std::string why = exchange(host, end, deadline, bytes);
    if (why.empty() && bytes.empty()) { // this thread has no time left
        error = host + ": " + text_of(no_answer);
        return {};
    }
    const auto answer = why.empty() ? read_answer(bytes) : std::nullopt;
    if (!answer) {
        error = host + ": " + text_of(Clock::now() < end ? failed : no_answer);
        fail(why.empty() ? "its answer makes no sense" : why);
        return {};
    }
    std::vector<SocketAddress> addresses;
    for (uint32_t i = 0; i < answer->count; ++i) {
        const Address& address = answer->addresses[i];
        addresses.push_back(
            socket_address(address.family == 4 ? AF_INET : AF_INET6, address.bytes, port, address.scope));
    }
    if (addresses.empty())
        error = host + ": " + text_of(answer->outcome);
    return addresses;
}

/// Returns what a new helper did wrong until `end`; empty: there is an answer in `bytes`, or no time left.
std::string Names::exchange(const std::string& host, Clock::time_point end, const Deadline& deadline,
                            std::string& bytes) {
    helper_.replace(Clock::now());
    Channel* channel = nullptr;
    while (!(channel = helper_.channel(std::min(end, Clock::now() + look_at_the_deadline)))) {
        if (helper_.is_gone())
            return "its keeper has ended";
        if (Clock::now() >= end)
            return "it has not started";
        if (Clock::now() >= deadline())
            return {};
    }
    Question question{};
    packets::put(question.host, host);
    if (!channel->send(packets::bytes_of(question)))
        return "it ended";
    for (Packet packet;;) {
        switch (channel->receive(packet, std::min(end, Clock::now() + look_at_the_deadline))) {
        case Channel::Outcome::packet:
            bytes = packet.bytes;
            return {};
        case Channel::Outcome::ended:
            return "it ended";
        case Channel::Outcome::too_long:
            return "its answer is too long";
        case Channel::Outcome::late:
            break;
        }
        if (Clock::now() >= end)
            return "it did not answer in time";
        if (Clock::now() >= deadline())
            return {};
    }
}

void Names::fail(const std::string& why) {
    constexpr std::chrono::seconds patience(1);
    ++failures_;
    const std::string end = helper_.replace(Clock::now() + patience);
    const std::string line = "the helper for names failed: " + why + " (" + end + ")";
    warning_.tell(helper_.is_gone() ? line + "; names are not resolved any more" : line);
}

void use_names(std::shared_ptr<Names> names) {
    const std::lock_guard lock(current().mutex);
    current().names.swap(names);
}

bool can_resolve() {
    return can_look_up();
}

std::optional<uint64_t> name_failures() {
    const auto names = current_names();
    return names ? std::optional(names->failures()) : std::nullopt;
}

std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, const Names::Deadline& deadline,
                                   std::string& error) {
    if (const auto names = current_names())
        return names->resolve(host, port, deadline, error);
    auto numeric = numeric_address(host, port);
    if (numeric.empty())
        error = host + ": there is no helper that resolves names";
    return numeric;
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
// What this program and its helper for HTTP say to each other, as the bytes of packets. The helper's are not
// trusted.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "imds/conversation/conversation_limits.hpp"
#include "imds/judge/reading.hpp"
#include "imds/model/transfer.hpp"
#include "telemetry/helper/packets.hpp"

namespace telemetry::imds::http_messages {

using packets::bytes_of;

/// To the helper, before any number of Moved.
struct Order {
    uint64_t number = 0; ///< counts them
    uint64_t now_ns = 0; ///< the wall clock, where it is to be looked at; else 0
    ConversationLimits conversation;
    uint64_t held_bytes = 0; ///< of all conversations together
    bool is_unsafe = false;
};

/// To the helper: a transfer, of which `bytes` follow, or the end of a connection.
struct Moved {
    uint64_t connection = 0; ///< numbers that never come again
    uint64_t sequence = 0;   ///< counts those of the connection
    uint64_t time_ns = 0, length = 0;
    CallerNumber caller = 0;
    uint32_t netns = 0, bytes = 0;
    ServiceAddress service;
    ProviderSet providers;
    Provider known = Provider::unknown; ///< as the service has named itself
    Direction direction = Direction::connected;
    bool is_io_uring = false;
    bool is_resumed = false; ///< bytes moved before that the helper does not know
    Exchange::End end = Exchange::End::closed;
};

/// From the helper comes, for each order, any number of readings and states, and then that it is done.
enum class Kind : uint8_t { reading = 1, state, done };

/// Where a conversation is after the Moved of that sequence.
struct State {
    Kind kind = Kind::state;
    uint8_t is_settled = 0; ///< all that was seen is reported
    uint8_t is_gone = 0; ///< the helper has dropped it: a Moved said that it was closed, or there was no room
    uint64_t connection = 0, sequence = 0;
    CallerNumber oldest = 0; ///< who may still be named
};

struct Done {
    Kind kind = Kind::done;
    uint64_t number = 0; ///< of the order
    uint32_t lost_positions = 0, cut_heads = 0, cut_bodies = 0, reported_early = 0, evicted = 0;
};

/// The bytes of a reading of a connection.
std::string packed(uint64_t connection, Reading& reading);

struct ConnectionReading {
    uint64_t connection = 0;
    Reading reading;
};
/// Takes one off the bytes; absent if they make no sense. Numbers in it may still be anything.
std::optional<ConnectionReading> take_reading(std::string_view& bytes);

} // namespace telemetry::imds::http_messages

// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "imds/model/caller.hpp"
#include "imds/model/endpoints.hpp"
#include "imds/model/http_message.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry::imds {

/// The connection that a conversation goes over.
struct Connection {
    uint64_t socket = 0;
    uint32_t netns = 0;
    SocketInfo ends;
    ServiceAddress service; ///< of the endpoint
    ProviderSet providers;  ///< that it may be
};

/// A request or a response.
struct Message {
    Head head;
    uint64_t begin_ns = 0;     ///< when the call ended that moved its first byte
    uint64_t end_ns = 0;       ///< its last
    SharedCaller caller;       ///< who moved the first byte
    uint64_t body_bytes = 0;   ///< of the body that moved
    uint64_t body_missing = 0; ///< of them, not captured
    Secret body;               ///< its beginning, up to a limit or the first gap
    bool is_complete = false;
};

/// A request and what became of it.
struct Exchange {
    enum class End : uint8_t {
        answered,  ///< the response is there, complete or as far as it came
        unseen,    ///< there was an answer, but its bytes could not be had
        closed,    ///< the connection ended before
        timed_out, ///< nothing came for long; a response may yet follow as `late`
        evicted,   ///< forgotten for lack of room
    };
    std::optional<Message> request; ///< absent: its bytes were not captured
    std::optional<Message> response;
    End end = End::answered;
    bool is_uncertain = false; ///< bytes are missing: request and response may not belong together
    bool is_late = false;      ///< the request was reported before, without a response
};

/// A connection on which no request and no response was seen.
struct ConnectionReport {
    /// What is known of the bytes that it carried.
    enum class Content : uint8_t {
        no_bytes,     ///< no call was seen that moved a byte
        not_captured, ///< bytes moved that were not captured, as by sendfile
        io_uring,     ///< opened through io_uring, and nothing moved by other means
        not_http,     ///< TLS, or anything else
    };
    Content content = Content::no_bytes;
    uint64_t time_ns = 0;
    SharedCaller caller;
    uint64_t sent = 0, received = 0;
};

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>

#include "imds/model/endpoints.hpp"
#include "imds/model/http_message.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry::imds {

/// A TCP connection to a metadata service.
struct Connection {
    uint64_t socket = 0;
    uint32_t netns = 0;
    SocketInfo ends;
    ServiceAddress service; ///< the endpoint
    ProviderSet providers;  ///< those whose service may be there
};

/// Of those who moved bytes of a connection, in order of time, since what they say is read by a process that
/// knows nothing else of them. 0: nobody.
using CallerNumber = uint64_t;

/// A request or a response.
struct Message {
    Head head;
    uint64_t begin_ns = 0;     ///< end of the call that moved its first byte
    uint64_t end_ns = 0;       ///< end of the call that moved its last byte
    CallerNumber caller = 0;   ///< who moved the first byte
    uint64_t body_bytes = 0;   ///< bytes of the body that were moved
    uint64_t body_missing = 0; ///< how many of them were not captured
    Secret body;               ///< its beginning, up to a limit or the first gap
    bool is_complete = false;
};

/// A request, and its response or the reason why no response was captured.
struct Exchange {
    enum class End : uint8_t {
        answered,  ///< with its response, which may be incomplete
        unseen,    ///< there was a response, but its bytes were not captured
        closed,    ///< the connection ended before the response
        timed_out, ///< no response in time; it may still come, as is_late
        evicted,   ///< dropped because of the limits
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
        not_captured, ///< bytes were moved but not captured, as by sendfile
        io_uring,     ///< opened by io_uring, and no system call moved a byte
        not_http,     ///< TLS, or anything else
        unread,       ///< the helper that reads HTTP failed: there may have been requests
    };
    Content content = Content::no_bytes;
    uint64_t time_ns = 0;
    CallerNumber caller = 0;
    uint64_t sent = 0, received = 0;
};

} // namespace telemetry::imds

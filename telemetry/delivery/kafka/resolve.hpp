// SPDX-License-Identifier: MIT
#pragma once

struct addrinfo;

namespace telemetry {

/// What librdkafka calls in place of getaddrinfo(3), on threads of its own, and to free what that gave: the
/// helper for names is asked.
int resolve_for_kafka(const char* host, const char* port, const addrinfo* hints, addrinfo** result,
                      void* opaque);

} // namespace telemetry

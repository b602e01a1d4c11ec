// SPDX-License-Identifier: MIT
// In place of client.cpp where there is no libcurl: programs that are linked statically.
#include <ebpf_loader/error.hpp>

#include "telemetry/delivery/http/client.hpp"

namespace telemetry {

std::unique_ptr<HttpClient> make_http_client(const HttpOptions&) {
    throw ebpf_loader::Error(
        ebpf_loader::ErrorCode::usage,
        "kind = http and --datadog: this program was built without libcurl; build it without EBT_STATIC");
}

} // namespace telemetry

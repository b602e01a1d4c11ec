// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// The hosts on libcurl's way to a server: the server itself, or a proxy. libcurl is given their addresses,
/// so that it asks no name server.
struct HttpWay {
    struct Host {
        std::string name; ///< or an address
        uint16_t port = 0;
    };
    std::string proxy;       ///< as CURLOPT_PROXY takes it; empty: none
    std::vector<Host> hosts; ///< that it connects to, or asks a proxy to by their addresses
};

using GetVariable = std::function<const char*(const char*)>;

/// `proxy`, `no_proxy`: empty: what the environment says, as libcurl reads it. What cannot be parsed is left
/// to libcurl, which says so.
HttpWay http_way(const std::string& url, const std::string& proxy, const std::string& no_proxy,
                 const GetVariable& get);

/// Is the host in such a list, as libcurl understands it: names, which stand for those below them too,
/// addresses, and networks as 192.0.2.0/24?
bool is_without_proxy(std::string host, std::string_view no_proxy);

} // namespace telemetry

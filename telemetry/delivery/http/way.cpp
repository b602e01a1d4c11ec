// SPDX-License-Identifier: MIT
#include "telemetry/delivery/http/way.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <strings.h>

#include "telemetry/delivery/http/curl_api.hpp"

namespace telemetry {
namespace {

struct Url {
    std::string scheme, host;
    uint16_t port = 0; ///< 0: none is given
};

Url parsed(const std::string& text, unsigned flags, unsigned port_flags) {
    const CurlApi& api = curl_api();
    const std::unique_ptr<CURLU, void (*)(CURLU*)> url(api.url(), api.url_cleanup);
    Url found;
    if (!url || api.url_set(url.get(), CURLUPART_URL, text.c_str(), flags) != CURLUE_OK)
        return found;
    const auto part = [&](CURLUPart which, unsigned part_flags) {
        char* value = nullptr;
        if (api.url_get(url.get(), which, &value, part_flags) != CURLUE_OK)
            return std::string();
        const std::unique_ptr<char, void (*)(void*)> owned(value, api.free_memory);
        return std::string(value);
    };
    found.scheme = part(CURLUPART_SCHEME, 0);
    found.host = part(CURLUPART_HOST, 0);
    if (found.host.starts_with('[')) // of IPv6
        found.host = found.host.substr(1, found.host.size() - 2);
    const std::string port = part(CURLUPART_PORT, port_flags);
    std::from_chars(port.data(), port.data() + port.size(), found.port);
    return found;
}

Url parsed_proxy(const std::string& text) {
    constexpr uint16_t usual = 1080, usual_https = 443;
    Url proxy = parsed(text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME, 0);
    if (proxy.port == 0)
        proxy.port = proxy.scheme == "https" ? usual_https : usual;
    return proxy;
}

std::string first_of(std::initializer_list<const char*> names, const GetVariable& get) {
    for (const char* name : names)
        if (const char* value = get(name); value && *value)
            return value;
    return {};
}

/// The address or network of a token and a host have their first bits in common.
std::optional<bool> is_in_network(const std::string& host, std::string token) {
    for (const int family : {AF_INET, AF_INET6}) {
        unsigned char own[sizeof(in6_addr)], other[sizeof(in6_addr)];
        if (inet_pton(family, host.c_str(), own) != 1)
            continue;
        size_t bits = 8 * (family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr));
        if (const size_t slash = token.find('/'); slash != token.npos) {
            size_t given = 0;
            std::from_chars(token.data() + slash + 1, token.data() + token.size(), given);
            if (given > bits)
                return false;
            bits = given > 0 ? given : bits;
            token.resize(slash);
        }
        if (inet_pton(family, token.c_str(), other) != 1)
            return false;
        const unsigned rest = (0xff00u >> bits % 8) & 0xff;
        return std::equal(own, own + bits / 8, other) &&
               (rest == 0 || ((own[bits / 8] ^ other[bits / 8]) & rest) == 0);
    }
    return std::nullopt;
}

bool is_below(std::string_view host, std::string_view token) {
    if (token.starts_with('.'))
        token.remove_prefix(1);
    if (token.ends_with('.'))
        token.remove_suffix(1);
    if (token.empty() || token.size() > host.size())
        return false;
    const size_t before = host.size() - token.size();
    return strncasecmp(host.data() + before, token.data(), token.size()) == 0 &&
           (before == 0 || host[before - 1] == '.');
}

} // namespace

bool is_without_proxy(std::string host, std::string_view no_proxy) {
    if (no_proxy == "*")
        return true;
    if (host.ends_with('.'))
        host.pop_back();
    constexpr std::string_view between = ", \t";
    while (!no_proxy.empty()) {
        const size_t end = std::min(no_proxy.find_first_of(between), no_proxy.size());
        const std::string token(no_proxy.substr(0, end));
        no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
        const auto in_network = is_in_network(host, token);
        if (in_network ? *in_network : is_below(host, token))
            return true;
    }
    return false;
}

HttpWay http_way(const std::string& url, const std::string& proxy, const std::string& no_proxy,
                 const GetVariable& get) {
    const Url server = parsed(url, 0, CURLU_DEFAULT_PORT);
    HttpWay way;
    const std::string excepted = no_proxy.empty() ? first_of({"no_proxy", "NO_PROXY"}, get) : no_proxy;
    if (!is_without_proxy(server.host, excepted)) {
        way.proxy = proxy;
        if (proxy.empty()) // HTTP_PROXY is what a CGI gets of a header "Proxy"
            way.proxy = server.scheme == "https"
                            ? first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}, get)
                            : first_of({"http_proxy", "all_proxy", "ALL_PROXY"}, get);
    }
    if (way.proxy.empty()) {
        way.hosts.push_back({server.host, server.port});
        return way;
    }
    const Url by = parsed_proxy(way.proxy);
    way.hosts.push_back({by.host, by.port});
    if (by.scheme == "socks4" || by.scheme == "socks" || by.scheme == "socks5") // others get its name
        way.hosts.push_back({server.host, server.port});
    return way;
}

} // namespace telemetry

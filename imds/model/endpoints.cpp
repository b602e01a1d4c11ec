// SPDX-License-Identifier: MIT
#include "imds/model/endpoints.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "telemetry/base/escape.hpp"
#include "telemetry/rules/rules.hpp"
#include "telemetry/rules/source.hpp"

// The text of rules/imds-endpoints.conf; see CMakeLists.txt.
extern "C" const char ebt_imds_endpoints_start[];
extern "C" const char ebt_imds_endpoints_end[];

namespace telemetry::imds {
namespace {

using rules::Mistake;
using rules::SourceText;
using rules::Span;

constexpr size_t shown_mistakes = 50;
constexpr size_t longest_file = 1 << 20;
constexpr std::string_view line_form = "ADDRESS PORT[,PORT...] PROVIDER...";

void unmap_ipv4(ServiceAddress& address) {
    static constexpr uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (!address.is_ipv6 || std::memcmp(address.ip.data(), mapped, sizeof(mapped)) != 0)
        return;
    std::array<uint8_t, 16> ip{};
    std::copy_n(address.ip.begin() + sizeof(mapped), 4, ip.begin());
    address = {false, ip, address.port};
}

class Parser {
  public:
    explicit Parser(const SourceText& source) : source_(source) {}

    /// The endpoints of a line, one for each port; a blank line has no endpoint.
    std::vector<Endpoint> parse(Span line) {
        at_ = line.begin;
        end_ = std::min(line.end, source_.text().find('#', line.begin));
        std::vector<Endpoint> endpoints;
        const Span address = word();
        if (address.begin == address.end)
            return endpoints;
        Endpoint endpoint;
        endpoint.address = parse_address(address);
        const std::vector<uint16_t> ports = parse_ports(word());
        endpoint.providers = parse_providers();
        for (const uint16_t port : ports) {
            endpoint.address.port = port;
            endpoints.push_back(endpoint);
        }
        return endpoints;
    }

  private:
    static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

    Span word() {
        const std::string_view text = source_.text();
        while (at_ < end_ && is_blank(text[at_]))
            ++at_;
        const size_t begin = at_;
        while (at_ < end_ && !is_blank(text[at_]))
            ++at_;
        return {begin, at_};
    }

    ServiceAddress parse_address(Span where) const {
        const std::string text(source_.text(where));
        const bool is_text = text.find('\0') == text.npos; // where inet_pton would stop
        ServiceAddress address;
        if (is_text && inet_pton(AF_INET, text.c_str(), address.ip.data()) == 1)
            return address;
        address.is_ipv6 = true;
        if (!is_text || inet_pton(AF_INET6, text.c_str(), address.ip.data()) != 1)
            throw Mistake{where, in_quotes(text) + " is not an IP address",
                          "an address such as 169.254.169.254 or fd00:ec2::254"};
        unmap_ipv4(address);
        return address;
    }

    std::vector<uint16_t> parse_ports(Span where) const {
        if (where.begin == where.end)
            throw Mistake{where, "the line has no port", std::string(line_form)};
        std::vector<uint16_t> ports;
        for (size_t at = where.begin; at <= where.end;) {
            const size_t comma = std::min(source_.text().find(',', at), where.end);
            ports.push_back(parse_port({at, comma}));
            at = comma + 1;
        }
        return ports;
    }

    uint16_t parse_port(Span where) const {
        uint32_t port = 0;
        for (const char c : source_.text(where)) {
            const bool is_digit = c >= '0' && c <= '9';
            port = is_digit && port <= UINT16_MAX ? port * 10 + static_cast<uint32_t>(c - '0') : UINT32_MAX;
        }
        if (port == 0 || port > UINT16_MAX)
            throw Mistake{where, in_quotes(source_.text(where)) + " is not a port",
                          "a number from 1 to 65535"};
        return static_cast<uint16_t>(port);
    }

    ProviderSet parse_providers() {
        ProviderSet set;
        Span where = word();
        if (where.begin == where.end)
            throw Mistake{where, "the line has no provider", std::string(line_form)};
        for (; where.begin != where.end; where = word()) {
            const auto provider = parse_provider(source_.text(where));
            if (!provider)
                throw Mistake{where, "unknown provider " + in_quotes(source_.text(where)), known()};
            set.add(*provider);
        }
        return set;
    }

    static std::string known() {
        std::string names;
        for (size_t i = 0; i < providers; ++i)
            names.append(i ? ", " : "").append(provider_name(static_cast<Provider>(i)));
        return names;
    }

    const SourceText& source_;
    size_t at_ = 0;
    size_t end_ = 0;
};

[[noreturn]] void cannot_read(const std::string& path, const std::string& why) {
    throw RuleError(path + ": error: cannot read the endpoints: " + why +
                    "\nexpected: the path of a file of endpoints that can be read\n");
}

} // namespace

ServiceAddress remote_address(const SocketInfo& socket) {
    if (socket.family != AF_INET && socket.family != AF_INET6)
        return {};
    ServiceAddress address{socket.family == AF_INET6, {}, socket.remote_port};
    std::copy_n(socket.remote.begin(), address.is_ipv6 ? 16 : 4, address.ip.begin());
    unmap_ipv4(address);
    return address;
}

Endpoints Endpoints::built_in() {
    return parse({ebt_imds_endpoints_start, ebt_imds_endpoints_end}, "built-in endpoints");
}

Endpoints Endpoints::parse(std::string_view text, const std::string& file) {
    const SourceText source({{file, std::string(text)}});
    Parser parser(source);
    Endpoints result;
    std::string mistakes;
    size_t count = 0;
    for (size_t at = 0; at < source.text().size();) {
        const size_t end = std::min(source.text().find('\n', at), source.text().size());
        try {
            for (const Endpoint& endpoint : parser.parse({at, end}))
                result.add(endpoint);
        } catch (const Mistake& mistake) {
            if (++count <= shown_mistakes)
                mistakes += source.describe("error", mistake);
        }
        at = end + 1;
    }
    if (count > shown_mistakes)
        mistakes += "and " + std::to_string(count - shown_mistakes) + " more mistakes\n";
    if (count > 0)
        throw RuleError(mistakes);
    return result;
}

Endpoints Endpoints::load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        cannot_read(path, std::strerror(errno));
    std::string text(longest_file + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad())
        cannot_read(path, std::strerror(errno));
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > longest_file)
        cannot_read(path, "it is longer than " + std::to_string(longest_file) + " bytes");
    return parse(text, path);
}

void Endpoints::add(const Endpoints& other) {
    for (const Endpoint& endpoint : other.endpoints_)
        add(endpoint);
}

void Endpoints::add(const Endpoint& endpoint) {
    const auto found = std::ranges::lower_bound(endpoints_, endpoint.address, {}, &Endpoint::address);
    if (found != endpoints_.end() && found->address == endpoint.address)
        *found = endpoint;
    else
        endpoints_.insert(found, endpoint);
}

const Endpoint* Endpoints::find(const ServiceAddress& address) const {
    const auto found = std::ranges::lower_bound(endpoints_, address, {}, &Endpoint::address);
    return found != endpoints_.end() && found->address == address ? &*found : nullptr;
}

} // namespace telemetry::imds

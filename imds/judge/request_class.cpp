// SPDX-License-Identifier: MIT
#include "imds/judge/request_class.hpp"

#include <algorithm>
#include <array>

namespace telemetry::imds {
namespace {

using Path = std::vector<std::string>;
using enum RequestClass;

/// The path begins with `prefix`, whose segments are separated by slashes; "*" is any one. A
/// pattern that ends in "..." goes on within the segment. The first row that fits decides.
struct Row {
    std::string_view prefix;
    RequestClass request_class;
};

bool segment_fits(std::string_view pattern, std::string_view segment) {
    if (pattern.ends_with("..."))
        return segment.starts_with(pattern.substr(0, pattern.size() - 3));
    return pattern == "*" || pattern == segment;
}

bool fits(std::string_view prefix, const Path& path) {
    size_t at = 0;
    for (const std::string& segment : path) {
        if (at > prefix.size())
            return true;
        const size_t end = std::min(prefix.find('/', at), prefix.size());
        if (!segment_fits(prefix.substr(at, end - at), segment))
            return false;
        at = end + 1;
    }
    return at > prefix.size();
}

// The first segment is "latest" or a date.
constexpr Row ec2[] = {
    {"*/api/token", token},
    {"*/meta-data/iam/security-credentials", credentials},
    {"*/meta-data/ram/security-credentials", credentials}, // Alibaba
    {"*/meta-data/cam/security-credentials", credentials}, // Tencent
    {"*/meta-data/identity-credentials/*/security-credentials", credentials},
    {"*/meta-data/identity-credentials", identity},
    {"*/meta-data/iam", identity},
    {"*/meta-data/ram", identity},
    {"*/meta-data/cam", identity},
    {"*/dynamic/instance-identity", identity},
    {"*/user-data", user_data},
    {"*/vendor-data", user_data},
    {"*/meta-data/network...", network},
    {"*/meta-data/mac", network},
    {"*/meta-data/local-ipv4", network},
    {"*/meta-data/public-ipv4", network},
    {"*/meta-data/private-ipv4", network},
    {"*/meta-data/eipv4", network},
    {"*/meta-data/ipv6", network},
    {"*/meta-data/vpc-id", network},
    {"*/meta-data/vpc-cidr-block", network},
    {"*/meta-data/vswitch-id", network},
    {"*/meta-data/vswitch-cidr-block", network},
    {"*/meta-data/dns-conf", network},
    {"*/meta-data/ntp-conf", network},
    {"*/meta-data", instance},
    {"*/dynamic", instance},
};

constexpr Row azure[] = {
    {"metadata/identity/oauth2/token", credentials},
    {"metadata/identity", identity},
    {"metadata/attested", identity},
    {"metadata/instance/network", network},
    {"metadata/loadbalancer", network},
    {"metadata/instance/compute/userData", user_data},
    {"metadata/instance/compute/customData", user_data},
    {"metadata/instance", instance},
    {"metadata/scheduledevents", instance},
};

constexpr Row gcp[] = {
    {"computeMetadata/*/instance/service-accounts/*/token", credentials},
    {"computeMetadata/*/instance/service-accounts", identity},
    {"computeMetadata/*/instance/gce-workload-certificates", credentials},
    {"computeMetadata/*/instance/attributes", user_data},
    {"computeMetadata/*/project/attributes", user_data},
    {"computeMetadata/*/instance/network-interfaces", network},
    {"computeMetadata/*/instance", instance},
    {"computeMetadata/*/project", instance},
};

constexpr Row oracle[] = {
    {"opc/*/identity/key.pem", credentials},
    {"opc/*/identity", identity},
    {"opc/*/instance/metadata", user_data},
    {"opc/*/vnics", network},
    {"opc/*/instance", instance},
    {"opc/*/volumeAttachments", instance},
};

constexpr Row openstack[] = {
    {"openstack/*/password", credentials},     {"openstack/*/user_data", user_data},
    {"openstack/*/vendor_data...", user_data}, {"openstack/*/network_data.json", network},
    {"openstack/*/meta_data.json", instance},
};

constexpr Row ibm[] = {
    {"instance_identity/v1/token", token},
    {"identity/v1/token", token},
    {"instance_identity/v1/iam_token...", credentials},
    {"identity/v1/iam_token...", credentials},
    {"instance_identity/v1/certificates", credentials},
    {"identity/v1/certificates", credentials},
    {"metadata/v1/instance/initialization", user_data},
    {"metadata/v1/instance/network...", network},
    {"metadata/v1/instance/virtual_network...", network},
    {"metadata/v1/instance", instance},
    {"metadata/v1/keys", instance},
    {"metadata/v1/placement_groups", instance},
};

constexpr Row digitalocean[] = {
    {"metadata/v1/auth-key", credentials},  {"metadata/v1/user-data", user_data},
    {"metadata/v1/vendor-data", user_data}, {"metadata/v1/interfaces", network},
    {"metadata/v1/reserved_ip", network},   {"metadata/v1/floating_ip", network},
    {"metadata/v1/dns", network},           {"metadata/v1...", instance},
};

constexpr Row hetzner[] = {
    {"hetzner/v1/userdata", user_data},          {"hetzner/v1/metadata/vendor_data", user_data},
    {"hetzner/v1/metadata/network...", network}, {"hetzner/v1/metadata/private-networks", network},
    {"hetzner/v1/metadata/local-ipv4", network}, {"hetzner/v1/metadata/public-ipv4", network},
    {"hetzner/v1/metadata", instance},
};

constexpr Row scaleway[] = {
    {"user_data", user_data},
    {"vendor_data", user_data},
    {"conf", instance},
};

constexpr Row akamai[] = {
    {"v1/token", token},       {"v1/user-data", user_data}, {"v1/network", network},
    {"v1/instance", instance}, {"v1/ssh-keys", instance},
};

constexpr Row vultr[] = {
    {"v1/user-data", user_data}, {"v1/vendor-data", user_data}, {"v1/interfaces", network},
    {"v1/bgp", network},         {"v1...", instance},
};

constexpr Row ecs[] = {
    {"*/credentials", credentials},
    {"v2", instance},
    {"v3", instance},
    {"v4", instance},
};

constexpr Row eks[] = {{"v1/credentials", credentials}};

template <size_t N> RequestClass look_up(const Row (&rows)[N], const Path& path) {
    const auto row = std::ranges::find_if(rows, [&](const Row& r) { return fits(r.prefix, path); });
    return row == std::end(rows) ? other : row->request_class;
}

/// Only PUT and POST request a new token.
RequestClass by_method(RequestClass found, std::string_view method) {
    return found == token && method != "PUT" && method != "POST" ? other : found;
}

RequestClass of_ec2_style(const Path& path) {
    return is_ec2_style(path) ? look_up(ec2, path) : other;
}

/// For requests to the Azure wire server, the query shows what is requested.
RequestClass of_azure(const Path& path, std::string_view query) {
    if (!path.empty() && path[0] == "machine")
        return query.find("certificates") != query.npos ? credentials : instance;
    if (!path.empty() && (path[0] == "vmSettings" || path[0] == "extensionArtifact"))
        return user_data; // the settings of extensions
    return look_up(azure, path);
}

RequestClass of_any(const Path& path) {
    for (const RequestClass found :
         {of_ec2_style(path), look_up(gcp, path), look_up(azure, path), look_up(oracle, path),
          look_up(openstack, path), look_up(ibm, path), look_up(digitalocean, path), look_up(hetzner, path)})
        if (found != other)
            return found;
    return other;
}

/// For providers that have paths of their own besides those of EC2.
RequestClass with_ec2(RequestClass own, const Path& path) {
    return own != other ? own : of_ec2_style(path);
}

RequestClass by_provider(Provider provider, const Path& path, std::string_view query) {
    switch (provider) {
    case Provider::aws:
    case Provider::alibaba:
    case Provider::tencent:
        return of_ec2_style(path);
    case Provider::azure:
        return of_azure(path, query);
    case Provider::gcp:
        return look_up(gcp, path);
    case Provider::oracle:
        return with_ec2(look_up(oracle, path), path);
    case Provider::openstack:
        return with_ec2(look_up(openstack, path), path);
    case Provider::ibm:
        return look_up(ibm, path);
    case Provider::digitalocean:
        return look_up(digitalocean, path);
    case Provider::hetzner:
        return with_ec2(look_up(hetzner, path), path);
    case Provider::scaleway:
        return look_up(scaleway, path);
    case Provider::akamai:
        return look_up(akamai, path);
    case Provider::vultr:
        return with_ec2(look_up(vultr, path), path);
    case Provider::ecs:
        return look_up(ecs, path);
    case Provider::eks:
        return look_up(eks, path);
    case Provider::unknown:
        return of_any(path);
    }
    return other;
}

bool is_date(std::string_view text) {
    constexpr std::string_view form = "0000-00-00";
    if (text.size() != form.size())
        return false;
    return std::ranges::equal(text, form,
                              [](char c, char f) { return f == '-' ? c == '-' : c >= '0' && c <= '9'; });
}

} // namespace

std::string_view class_name(RequestClass request_class) {
    constexpr std::array<std::string_view, 7> names = {"token",    "credentials", "identity", "user-data",
                                                       "instance", "network",     "other"};
    return names[static_cast<size_t>(request_class)];
}

bool is_ec2_style(const Path& path) {
    return !path.empty() && (path[0] == "latest" || path[0] == "1.0" || is_date(path[0]));
}

RequestClass find_class(Provider provider, std::string_view method, const Path& path,
                        std::string_view query) {
    return by_method(by_provider(provider, path, query), method);
}

} // namespace telemetry::imds

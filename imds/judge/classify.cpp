// SPDX-License-Identifier: MIT
#include "imds/judge/classify.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "imds/judge/request_class.hpp"

namespace telemetry::imds {
namespace {

using Path = std::vector<std::string>;

/// The provider that the headers of a message indicate; `unknown` when they indicate several.
class UniqueProvider {
  public:
    void add(Provider provider) {
        is_ambiguous_ |= provider_ != Provider::unknown && provider_ != provider;
        provider_ = provider;
    }
    void add_if(bool holds, Provider provider) {
        if (holds)
            add(provider);
    }
    Provider get() const { return is_ambiguous_ ? Provider::unknown : provider_; }

  private:
    Provider provider_ = Provider::unknown;
    bool is_ambiguous_ = false;
};

/// The service names itself in the response, which is the most certain source.
Provider by_response(const Head& head) {
    const std::string_view server = head[TextHeader::server];
    UniqueProvider provider;
    provider.add_if(server == "EC2ws", Provider::aws);
    provider.add_if(server.starts_with("IMDS/"), Provider::azure);
    provider.add_if(head.has(MarkerHeader::flavor_google) || server.starts_with("Metadata Server for VM") ||
                        server.starts_with("GKE Metadata Server"),
                    Provider::gcp);
    provider.add_if(head.has(MarkerHeader::flavor_ibm), Provider::ibm);
    return provider.get();
}

Provider by_request_headers(const Head& head) {
    UniqueProvider provider;
    provider.add_if(head.has(MarkerHeader::aws_token) || head.has(MarkerHeader::aws_token_ttl),
                    Provider::aws);
    provider.add_if(head.has(MarkerHeader::alibaba_token) || head.has(MarkerHeader::alibaba_ttl),
                    Provider::alibaba);
    provider.add_if(head.has(MarkerHeader::akamai_token) || head.has(MarkerHeader::akamai_expiry),
                    Provider::akamai);
    provider.add_if(head.has(MarkerHeader::metadata_true) || head.has(MarkerHeader::azure_agent),
                    Provider::azure);
    provider.add_if(head.has(MarkerHeader::flavor_google) || head.has(MarkerHeader::google_request),
                    Provider::gcp);
    provider.add_if(head.has(MarkerHeader::flavor_ibm), Provider::ibm);
    provider.add_if(head.has(MarkerHeader::oracle_bearer), Provider::oracle);
    return provider.get();
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
}

/// Several clouds use the paths of EC2; these are used by Amazon alone.
bool is_amazon_alone(const Path& path) {
    static constexpr std::string_view below_meta_data[] = {
        "iam",    "identity-credentials", "autoscaling", "spot", "services",
        "events", "managed-ssh-keys",     "system"};
    if (!is_ec2_style(path) || path.size() < 2)
        return false;
    const std::string_view second = path[1];
    const std::string_view third = path.size() > 2 ? std::string_view(path[2]) : std::string_view();
    return (second == "api" && third == "token") || (second == "dynamic" && third == "instance-identity") ||
           (second == "meta-data" && is_one_of(third, below_meta_data));
}

Provider by_metadata_path(std::string_view second, std::string_view third) {
    static constexpr std::string_view azure[] = {"instance", "identity",     "attested", "scheduledevents",
                                                 "versions", "loadbalancer", "health"};
    static constexpr std::string_view ibm[] = {"instance", "keys", "placement_groups"};
    if (second == "v1.json")
        return Provider::digitalocean;
    if (second == "v1")
        return third.empty()           ? Provider::unknown
               : is_one_of(third, ibm) ? Provider::ibm
                                       : Provider::digitalocean;
    return is_one_of(second, azure) ? Provider::azure : Provider::unknown;
}

Provider by_path(const Path& path) {
    static constexpr std::string_view vultr[] = {"instanceid", "instance-v2-id", "bgp",
                                                 "region",     "interfaces",     "hostname"};
    const std::string_view first = path.empty() ? std::string_view() : std::string_view(path[0]);
    const std::string_view second = path.size() > 1 ? std::string_view(path[1]) : std::string_view();
    const std::string_view third = path.size() > 2 ? std::string_view(path[2]) : std::string_view();
    if (first == "computeMetadata")
        return Provider::gcp;
    if (first == "opc")
        return Provider::oracle;
    if (first == "openstack")
        return Provider::openstack;
    if (first == "hetzner")
        return Provider::hetzner;
    if (first == "instance_identity" || first == "identity")
        return second == "v1" ? Provider::ibm : Provider::unknown;
    if (first == "metadata")
        return by_metadata_path(second, third);
    if (first == "v1.json" || (first == "v1" && is_one_of(second, vultr)))
        return Provider::vultr;
    return is_amazon_alone(path) ? Provider::aws : Provider::unknown;
}

/// A request in another provider's language, whoever answers it: libraries ask like that to find out on which
/// cloud they run.
bool is_of_another(const ClassifierInput& input, Provider provider) {
    const auto differs = [&](Provider other) { return other != Provider::unknown && other != provider; };
    return !is_ec2_style(input.path) &&
           (differs(by_path(input.path)) || differs(by_request_headers(*input.request)));
}

Provider find_provider(const ClassifierInput& input, bool& is_proved) {
    const auto possible = [&](Provider provider) {
        return provider != Provider::unknown && input.candidates.has(provider);
    };
    const Provider only = input.candidates.only();
    if (only != Provider::unknown)
        return only;
    if (input.response && possible(by_response(*input.response))) {
        is_proved = true;
        return by_response(*input.response);
    }
    if (!input.request)
        return Provider::unknown;
    if (possible(by_request_headers(*input.request)))
        return by_request_headers(*input.request);
    if (possible(input.known))
        return input.known;
    const Provider provider = by_path(input.path);
    return possible(provider) ? provider : Provider::unknown;
}

Version with_token(bool has_token) {
    return has_token ? Version::v2 : Version::v1;
}

bool asks_for_token(const ClassifierInput& input) {
    return input.request->method == "PUT" && input.path.size() == 3 && input.path[1] == "api" &&
           input.path[2] == "token";
}

/// Looks at the request alone: an error response does not show which version was used.
Version find_version(const ClassifierInput& input, Provider provider) {
    if (!input.request || provider == Provider::unknown)
        return Version::unknown;
    const Head& head = *input.request;
    switch (provider) {
    case Provider::aws:
        if (is_of_another(input, provider))
            return Version::unknown;
        return with_token(head.has(MarkerHeader::aws_token) || head.has(MarkerHeader::aws_token_ttl) ||
                          asks_for_token(input));
    case Provider::alibaba:
        if (is_of_another(input, provider))
            return Version::unknown;
        return with_token(head.has(MarkerHeader::alibaba_token) || head.has(MarkerHeader::alibaba_ttl) ||
                          asks_for_token(input));
    case Provider::oracle:
        if (input.path.size() < 2 || input.path[0] != "opc")
            return Version::unknown;
        return input.path[1] == "v2" ? Version::v2 : input.path[1] == "v1" ? Version::v1 : Version::unknown;
    default:
        return Version::none;
    }
}

} // namespace

std::string_view version_name(Version version) {
    constexpr std::array<std::string_view, 4> names = {"unknown", "none", "v1", "v2"};
    return names[static_cast<size_t>(version)];
}

Classification classify(const ClassifierInput& input) {
    Classification classification;
    classification.provider = find_provider(input, classification.is_proved);
    if (!input.request)
        return classification;
    // A truncated head may lack the header that shows v2.
    const bool is_whole = !input.request->is_cut;
    classification.version = find_version(input, classification.provider);
    if (classification.version == Version::v1 && !is_whole)
        classification.version = Version::unknown;
    classification.request_class =
        find_class(classification.provider, input.request->method, input.path, input.query);
    return classification;
}

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#include "imds/judge/classify.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "imds/judge/request_class.hpp"

namespace telemetry::imds {
namespace {

using Path = std::vector<std::string>;

/// What a message's headers say; several providers at once say nothing.
class Opinion {
  public:
    void add(Provider provider) {
        is_split_ |= provider_ != Provider::unknown && provider_ != provider;
        provider_ = provider;
    }
    void add_if(bool holds, Provider provider) {
        if (holds)
            add(provider);
    }
    Provider get() const { return is_split_ ? Provider::unknown : provider_; }

  private:
    Provider provider_ = Provider::unknown;
    bool is_split_ = false;
};

/// The service names itself: nothing is surer.
Provider by_response(const Head& head) {
    const std::string_view server = head[TextHeader::server];
    Opinion opinion;
    opinion.add_if(server == "EC2ws", Provider::aws);
    opinion.add_if(server.starts_with("IMDS/"), Provider::azure);
    opinion.add_if(head.has(MarkerHeader::flavor_google) || server.starts_with("Metadata Server for VM") ||
                       server.starts_with("GKE Metadata Server"),
                   Provider::gcp);
    opinion.add_if(head.has(MarkerHeader::flavor_ibm), Provider::ibm);
    return opinion.get();
}

Provider by_request_headers(const Head& head) {
    Opinion opinion;
    opinion.add_if(head.has(MarkerHeader::aws_token) || head.has(MarkerHeader::aws_token_ttl), Provider::aws);
    opinion.add_if(head.has(MarkerHeader::alibaba_token) || head.has(MarkerHeader::alibaba_ttl),
                   Provider::alibaba);
    opinion.add_if(head.has(MarkerHeader::akamai_token) || head.has(MarkerHeader::akamai_expiry),
                   Provider::akamai);
    opinion.add_if(head.has(MarkerHeader::metadata_true) || head.has(MarkerHeader::azure_agent),
                   Provider::azure);
    opinion.add_if(head.has(MarkerHeader::flavor_google) || head.has(MarkerHeader::google_request),
                   Provider::gcp);
    opinion.add_if(head.has(MarkerHeader::flavor_ibm), Provider::ibm);
    opinion.add_if(head.has(MarkerHeader::oracle_bearer), Provider::oracle);
    return opinion.get();
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
}

/// Several clouds speak the language of EC2; these parts of it are Amazon's alone.
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

Provider find_provider(const Evidence& evidence, bool& is_proved) {
    const auto possible = [&](Provider provider) {
        return provider != Provider::unknown && evidence.candidates.has(provider);
    };
    const Provider only = evidence.candidates.only();
    if (only != Provider::unknown)
        return only;
    if (evidence.response && possible(by_response(*evidence.response))) {
        is_proved = true;
        return by_response(*evidence.response);
    }
    if (!evidence.request)
        return Provider::unknown;
    if (possible(by_request_headers(*evidence.request)))
        return by_request_headers(*evidence.request);
    if (possible(evidence.known))
        return evidence.known;
    const Provider provider = by_path(evidence.path);
    return possible(provider) ? provider : Provider::unknown;
}

Version with_token(bool has_token) {
    return has_token ? Version::v2 : Version::v1;
}

bool asks_for_token(const Evidence& evidence) {
    return evidence.request->method == "PUT" && evidence.path.size() == 3 && evidence.path[1] == "api" &&
           evidence.path[2] == "token";
}

/// By the request alone: an error response says nothing about how it was asked.
Version find_version(const Evidence& evidence, Provider provider) {
    if (!evidence.request || provider == Provider::unknown)
        return Version::unknown;
    const Head& head = *evidence.request;
    switch (provider) {
    case Provider::aws:
        return with_token(head.has(MarkerHeader::aws_token) || head.has(MarkerHeader::aws_token_ttl) ||
                          asks_for_token(evidence));
    case Provider::alibaba:
        return with_token(head.has(MarkerHeader::alibaba_token) || head.has(MarkerHeader::alibaba_ttl) ||
                          asks_for_token(evidence));
    case Provider::oracle:
        if (evidence.path.size() < 2 || evidence.path[0] != "opc")
            return Version::unknown;
        return evidence.path[1] == "v2"   ? Version::v2
               : evidence.path[1] == "v1" ? Version::v1
                                          : Version::unknown;
    default:
        return Version::none;
    }
}

} // namespace

std::string_view version_name(Version version) {
    constexpr std::array<std::string_view, 4> names = {"unknown", "none", "v1", "v2"};
    return names[static_cast<size_t>(version)];
}

Verdict classify(const Evidence& evidence) {
    Verdict verdict;
    verdict.provider = find_provider(evidence, verdict.is_proved);
    if (!evidence.request)
        return verdict;
    // A head that is not whole may lack the very header that decides.
    const bool is_whole = !evidence.request->is_cut;
    verdict.version = find_version(evidence, verdict.provider);
    if (verdict.version == Version::v1 && !is_whole)
        verdict.version = Version::unknown;
    verdict.request_class =
        find_class(verdict.provider, evidence.request->method, evidence.path, evidence.query);
    return verdict;
}

} // namespace telemetry::imds

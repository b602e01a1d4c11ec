// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "imds/judge/secret_set.hpp"
#include "imds/model/caller.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry::imds {

/// Removes secrets from command lines, where `curl -H "X-aws-ec2-metadata-token: ..."` has the token, for
/// example. A secret is recognised by the name before it, or because it was seen on a connection of the same
/// network namespace: anybody can make a namespace with a metadata service of their own, which hands out what
/// they want to be hidden. Memory and work are bounded.
class Scrubber {
  public:
    /// `machine_netns`: the machine's first network namespace, whose secrets are not forgotten for those of
    /// others; 0: not known.
    explicit Scrubber(uint32_t machine_netns = 0) : machine_netns_(machine_netns) {}

    /// Begins an event of this time: all its texts together may cost budget_of_event.
    void begin(uint64_t time_ns = 0) {
        budget_ = budget_of_event;
        time_ns_ = time_ns;
    }

    /// Remembers a secret of a response or a request, unless it does not look like a token.
    void learn(uint32_t netns, std::string_view secret);

    /// Secrets of this namespace went by that could not be learned, until this time: for distrust_ns from
    /// then on, every word that may be one is taken for one.
    void distrust(uint32_t netns, uint64_t time_ns);

    /// The text with a marker in place of each secret that is remembered of this namespace.
    std::string without_known(uint32_t netns, std::string_view text);
    /// The same, and with a marker in place of each value that follows the name of a secret.
    std::string scrubbed(uint32_t netns, std::string_view text) {
        return without_known(netns, without_named(text));
    }

    /// Returns the same pointer if there was nothing to replace.
    SharedCaller scrubbed(uint32_t netns, const SharedCaller& caller);
    std::shared_ptr<const LineageNode> scrubbed(uint32_t netns,
                                                const std::shared_ptr<const LineageNode>& node);

    /// Secrets that are known, of all namespaces.
    size_t size() const;
    size_t namespaces() const { return learned_.size(); }

    static constexpr size_t most = SecretSet::most; ///< of one namespace
    static constexpr size_t most_namespaces = 64;
    static constexpr size_t most_bytes = 4 << 20; ///< of all namespaces
    /// As long as what metadata services hand out is of use, as a rule.
    static constexpr uint64_t distrust_ns = 6 * 3600'000'000'000;
    /// Comparisons: a fraction of a millisecond.
    static constexpr size_t budget_of_event = 100'000;

  private:
    struct Namespace {
        explicit Namespace(uint32_t number) : netns(number) {}
        uint32_t netns;
        SecretSet secrets;
    };

    SecretSet& secrets_of(uint32_t netns);
    const SecretSet* find(uint32_t netns) const;
    void make_room();
    std::string scrubbed_arguments(uint32_t netns, std::string_view strings);
    static std::string without_named(std::string_view text);
    static std::string without_words(std::string_view text);
    bool is_distrusted(uint32_t netns) const;

    const uint32_t machine_netns_;
    std::list<Namespace> learned_; ///< that which learned last is the first
    size_t budget_ = budget_of_event;
    uint64_t time_ns_ = 0;                    ///< of the event
    std::map<uint32_t, uint64_t> distrusted_; ///< until when
    uint64_t all_distrusted_until_ = 0;       ///< there were too many namespaces
};

} // namespace telemetry::imds

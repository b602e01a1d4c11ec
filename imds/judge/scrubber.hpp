// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "imds/model/caller.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry::imds {

/// Takes secrets out of command lines: `curl -H "X-aws-ec2-metadata-token: ..."` has the token
/// there. Secrets are recognised by the names that stand before them, and by having gone over
/// the wire. Memory is bounded.
class Scrubber {
  public:
    /// A secret of a response or a request. What is too short to be a secret is not learned.
    void learn(std::string_view secret);
    /// The strings in a body that hands out secrets: of JSON, those that no allow-list has; else
    /// the whole of it.
    void learn_body(std::string_view body);

    /// With a marker instead of each secret that was learned.
    std::string without_known(std::string_view text) const;
    /// And instead of each value behind a name of secrets.
    std::string scrubbed(std::string_view text) const { return without_known(without_named(text)); }

    /// The same pointer, if nothing was to be replaced.
    SharedCaller scrubbed(const SharedCaller& caller) const;
    std::shared_ptr<const LineageNode> scrubbed(const std::shared_ptr<const LineageNode>& node) const;

    size_t size() const { return secrets_.size(); }

    static constexpr size_t shortest = 12;
    static constexpr size_t longest = 8192;
    static constexpr size_t most = 256;

  private:
    std::string scrubbed_arguments(std::string_view strings) const;
    static std::string without_named(std::string_view text);

    std::deque<std::string> secrets_; ///< oldest first
    std::unordered_set<std::string> known_;
};

} // namespace telemetry::imds

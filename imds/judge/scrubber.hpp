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

/// Removes secrets from command lines, where `curl -H "X-aws-ec2-metadata-token: ..."` has the token, for
/// example. A secret is recognised by the name before it, or because it was seen on a connection. Memory is
/// bounded.
class Scrubber {
  public:
    /// Remembers a secret of a response or a request, unless it is too short to be one.
    void learn(std::string_view secret);
    /// Remembers the secrets of a response body: the strings in JSON that are not on the allow-list, or else
    /// the whole body.
    void learn_body(std::string_view body);

    /// The text with a marker in place of each secret that is remembered.
    std::string without_known(std::string_view text) const;
    /// The same, and with a marker in place of each value that follows the name of a secret.
    std::string scrubbed(std::string_view text) const { return without_known(without_named(text)); }

    /// Returns the same pointer if there was nothing to replace.
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

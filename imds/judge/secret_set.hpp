// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace telemetry::imds {

/// Secrets, and the search for all of them in a text at once: the work does not grow with how many
/// there are or how long they are. What is in it is bounded; the oldest go first.
class SecretSet {
  public:
    SecretSet();

    /// What is too short or too long is not taken.
    void add(std::string_view secret);
    /// The text with a marker instead of each secret. Comparisons are taken off `budget`; when there
    /// are none left, a marker hides the rest of the text.
    std::string without(std::string_view text, size_t& budget) const;

    size_t size() const { return secrets_.size(); }
    size_t bytes() const { return bytes_; }

    static constexpr size_t shortest = 12;
    static constexpr size_t longest = 8192;
    static constexpr size_t most = 256;

  private:
    using Hash = uint64_t; ///< a number below 2^61 - 1

    struct Entry {
        std::string text;
        Hash hash;
    };
    struct Candidate {
        size_t length;
        Hash hash;
    };
    /// Hashes of each beginning of a text, made when the first is asked for.
    class Beginnings;
    struct Span {
        size_t begin, end;
    };

    Hash hash_of(std::string_view text) const;
    bool find(std::string_view text, std::vector<Span>& found, size_t& searched, size_t& budget) const;
    void forget_oldest();

    const Hash base_;           ///< of the hash, chosen at random: nobody can make texts that collide
    std::deque<Entry> secrets_; ///< oldest first
    std::unordered_map<uint64_t, std::vector<Candidate>> by_tail_; ///< by their last bytes
    std::vector<uint64_t> filter_; ///< bits of tails that there are or were: most places in a text end here
    size_t bytes_ = 0;
};

} // namespace telemetry::imds

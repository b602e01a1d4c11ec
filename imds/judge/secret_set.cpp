// SPDX-License-Identifier: MIT
#include "imds/judge/secret_set.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <ebpf_loader/random.hpp>

#include "imds/judge/redaction.hpp"

namespace telemetry::imds {
namespace {

constexpr uint64_t prime = (uint64_t{1} << 61) - 1;
constexpr size_t filter_bits = 1 << 14;

uint64_t product(uint64_t a, uint64_t b) {
    const auto wide = static_cast<unsigned __int128>(a) * b;
    const uint64_t folded = static_cast<uint64_t>(wide & prime) + static_cast<uint64_t>(wide >> 61);
    return folded >= prime ? folded - prime : folded;
}

uint64_t sum(uint64_t a, uint64_t b) {
    const uint64_t both = a + b;
    return both >= prime ? both - prime : both;
}

uint64_t random_base() {
    return ebpf_loader::random_bits() % (prime - 512) + 257; // above every byte
}

/// Of the last SecretSet::shortest bytes before `end`.
uint64_t tail_of(const char* end) {
    uint64_t first = 0;
    uint32_t second = 0;
    static_assert(SecretSet::shortest == sizeof(first) + sizeof(second));
    std::memcpy(&first, end - SecretSet::shortest, sizeof(first));
    std::memcpy(&second, end - sizeof(second), sizeof(second));
    return (first ^ (uint64_t{second} * 0x9e3779b97f4a7c15)) * 0xd6e8feb86659fd93;
}

size_t filter_bit(uint64_t tail) {
    return tail >> 50; // of filter_bits
}

} // namespace

/// hash(text[a, b)) = beginning[b] - beginning[a] * base^(b - a)
class SecretSet::Beginnings {
  public:
    Beginnings(std::string_view text, Hash base) : text_(text), base_(base) {}

    Hash between(size_t begin, size_t end) {
        if (hashes_.empty())
            make();
        return sum(hashes_[end], prime - product(hashes_[begin], powers_[end - begin]));
    }

  private:
    void make() {
        hashes_.resize(text_.size() + 1);
        powers_.resize(text_.size() + 1);
        powers_[0] = 1;
        for (size_t i = 0; i < text_.size(); ++i) {
            hashes_[i + 1] = sum(product(hashes_[i], base_), static_cast<unsigned char>(text_[i]) + 1U);
            powers_[i + 1] = product(powers_[i], base_);
        }
    }

    std::string_view text_;
    Hash base_;
    std::vector<Hash> hashes_, powers_;
};

SecretSet::SecretSet() : base_(random_base()), filter_(filter_bits / 64) {}

SecretSet::Hash SecretSet::hash_of(std::string_view text) const {
    Hash hash = 0;
    for (const char c : text)
        hash = sum(product(hash, base_), static_cast<unsigned char>(c) + 1U);
    return hash;
}

void SecretSet::add(std::string_view secret) {
    if (secret.size() < shortest || secret.size() > longest)
        return;
    const Hash hash = hash_of(secret);
    const uint64_t tail = tail_of(secret.data() + secret.size());
    std::vector<Candidate>& candidates = by_tail_[tail];
    const auto is_same = [&](const Candidate& other) {
        return other.length == secret.size() && other.hash == hash;
    };
    if (std::ranges::any_of(candidates, is_same))
        return;
    candidates.push_back({secret.size(), hash});
    filter_[filter_bit(tail) / 64] |= uint64_t{1} << filter_bit(tail) % 64;
    secrets_.push_back({std::string(secret), hash});
    bytes_ += secret.size();
    if (secrets_.size() > most)
        forget_oldest();
}

void SecretSet::forget_oldest() {
    const Entry& oldest = secrets_.front();
    const auto found = by_tail_.find(tail_of(oldest.text.data() + oldest.text.size()));
    std::erase_if(found->second, [&](const Candidate& candidate) {
        return candidate.length == oldest.text.size() && candidate.hash == oldest.hash;
    });
    if (found->second.empty())
        by_tail_.erase(found);
    bytes_ -= oldest.text.size();
    secrets_.pop_front();
    std::ranges::fill(filter_, 0);
    for (const auto& [tail, candidates] : by_tail_)
        filter_[filter_bit(tail) / 64] |= uint64_t{1} << filter_bit(tail) % 64;
}

/// Places that overlap are one. False: the budget is spent, and the text was searched up to `searched`.
bool SecretSet::find(std::string_view text, std::vector<Span>& found, size_t& searched,
                     size_t& budget) const {
    Beginnings beginnings(text, base_);
    for (size_t end = shortest; end <= text.size(); ++end) {
        const uint64_t tail = tail_of(text.data() + end);
        if (!(filter_[filter_bit(tail) / 64] >> filter_bit(tail) % 64 & 1))
            continue;
        const auto candidates = by_tail_.find(tail);
        if (candidates == by_tail_.end())
            continue;
        size_t begin = end;
        for (const Candidate& candidate : candidates->second) {
            if (budget == 0) {
                searched = end - 1;
                return false;
            }
            --budget;
            // The text is not compared: two that differ and have the same hash are not to be found.
            if (candidate.length <= end && beginnings.between(end - candidate.length, end) == candidate.hash)
                begin = std::min(begin, end - candidate.length);
        }
        if (begin == end)
            continue;
        while (!found.empty() && found.back().end > begin) {
            begin = std::min(begin, found.back().begin);
            found.pop_back();
        }
        found.push_back({begin, end});
    }
    searched = text.size();
    return true;
}

std::string SecretSet::without(std::string_view text, size_t& budget) const {
    if (secrets_.empty() || text.size() < shortest)
        return std::string(text);
    std::vector<Span> found;
    size_t searched = 0;
    if (!find(text, found, searched, budget)) {
        // A secret may have begun before where the search ended.
        const size_t begin = found.empty() ? 0 : found.back().end;
        found.push_back({begin, text.size()});
    }
    std::string clean;
    size_t at = 0;
    for (const Span& span : found) {
        clean.append(text.substr(at, span.begin - at));
        clean.append(redacted(span.end - span.begin));
        at = span.end;
    }
    clean.append(text.substr(at));
    return clean;
}

} // namespace telemetry::imds

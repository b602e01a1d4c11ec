// SPDX-License-Identifier: MIT
#include "telemetry/output/network/sha1.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace telemetry {
namespace {

using Words = std::array<uint32_t, 80>;

/// The message with its padding and length, and what is expanded from it.
Words schedule(std::span<const uint8_t> message) {
    std::array<uint8_t, 64> block{};
    std::ranges::copy(message, block.begin());
    block[message.size()] = 0x80;
    const auto bits = static_cast<uint32_t>(message.size() * 8);
    block[62] = static_cast<uint8_t>(bits >> 8);
    block[63] = static_cast<uint8_t>(bits);
    Words words{};
    for (size_t i = 0; i < 16; ++i)
        words[i] = static_cast<uint32_t>(block[4 * i]) << 24 | static_cast<uint32_t>(block[4 * i + 1]) << 16 |
                   static_cast<uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
    for (size_t i = 16; i < words.size(); ++i)
        words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    return words;
}

using State = std::array<uint32_t, 5>;

/// Twenty rounds with one function, in steps of five, after which each part of the state is in its place
/// again.
template <size_t First, class Mix> void twenty_rounds(State& state, const Words& words, Mix mix) {
    auto [a, b, c, d, e] = state;
    const auto round = [&mix](uint32_t v, uint32_t& w, uint32_t x, uint32_t y, uint32_t& z, uint32_t word) {
        z += std::rotl(v, 5) + mix(w, x, y) + word;
        w = std::rotl(w, 30);
    };
    for (size_t i = First; i < First + 20; i += 5) {
        round(a, b, c, d, e, words[i]);
        round(e, a, b, c, d, words[i + 1]);
        round(d, e, a, b, c, words[i + 2]);
        round(c, d, e, a, b, words[i + 3]);
        round(b, c, d, e, a, words[i + 4]);
    }
    state = {a, b, c, d, e};
}

} // namespace

std::array<uint8_t, 20> sha1_of_short(std::span<const uint8_t> message) {
    assert(message.size() <= longest_sha1_message);
    constexpr State start = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const Words words = schedule(message);
    const auto choose = [](uint32_t b, uint32_t c, uint32_t d) { return (d ^ (b & (c ^ d))) + 0x5a827999; };
    const auto parity = [](uint32_t b, uint32_t c, uint32_t d) { return (b ^ c ^ d) + 0x6ed9eba1; };
    const auto majority = [](uint32_t b, uint32_t c, uint32_t d) {
        return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
    };
    const auto last_parity = [](uint32_t b, uint32_t c, uint32_t d) { return (b ^ c ^ d) + 0xca62c1d6; };
    State sums = start;
    twenty_rounds<0>(sums, words, choose);
    twenty_rounds<20>(sums, words, parity);
    twenty_rounds<40>(sums, words, majority);
    twenty_rounds<60>(sums, words, last_parity);
    for (size_t i = 0; i < sums.size(); ++i)
        sums[i] += start[i];
    std::array<uint8_t, 20> digest{};
    for (size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<uint8_t>(sums[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

} // namespace telemetry

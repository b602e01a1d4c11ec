// SPDX-License-Identifier: MIT
#include "telemetry/output/audit/line.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace telemetry {
namespace {

/// Formatters of one process may write into one file: no two events of theirs may have the same number.
uint32_t next_serial() {
    static std::atomic<uint32_t> last = 0;
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

bool is_control(char c) {
    const auto byte = static_cast<uint8_t>(c);
    return byte < 0x21 || byte > 0x7e || byte == '"';
}

// Eight bytes at a time: not 0 if any of them is so. Which of them is not said.
constexpr uint64_t each = 0x0101010101010101, high = 0x8080808080808080;

constexpr uint64_t any_below(uint64_t word, uint8_t bound) {
    return (word - each * bound) & ~word & high;
}
constexpr uint64_t any_above_tilde(uint64_t word) {
    return ((word + each) | word) & high;
}
constexpr uint64_t any_equal(uint64_t word, char c) {
    return any_below(word ^ each * static_cast<uint8_t>(c), 1);
}

bool is_plain(char c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return alphanumeric || c == '_' || c == '.' || c == '/' || c == '-' || c == ':';
}

} // namespace

void AuditLine::start(uint64_t time_ns) {
    clear();
    const uint64_t milliseconds = time_ns / 1'000'000;
    const auto fraction = static_cast<unsigned>(milliseconds % 1000);
    stamp_.clear();
    stamp_.put(" msg=audit(");
    stamp_.put_decimal(milliseconds / 1000);
    stamp_.put('.');
    stamp_.put(static_cast<char>('0' + fraction / 100));
    stamp_.put(static_cast<char>('0' + fraction / 10 % 10));
    stamp_.put(static_cast<char>('0' + fraction % 10));
    stamp_.put(':');
    stamp_.put_decimal(next_serial());
    stamp_.put("):");
}

void AuditLine::begin(std::string_view type) {
    begin_of_record_ = view().size();
    put("type=");
    put(type);
    put(stamp_.view());
}

bool AuditLine::needs_hex(std::string_view bytes, AuditRule rule) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    if (bytes.size() < sizeof(uint64_t)) {
        for (; at != end; ++at)
            if (is_control(*at) || (rule == AuditRule::strict && (*at == '=' || *at == '\'')))
                return true;
        return false;
    }
    const char* const last = end - sizeof(uint64_t); // the last eight may be some that were looked at
    uint64_t found = 0;
    for (;; at = std::min(at + sizeof(uint64_t), last)) {
        uint64_t word = 0;
        std::memcpy(&word, at, sizeof(word));
        found |= any_below(word, 0x21) | any_above_tilde(word) | any_equal(word, '"');
        if (rule == AuditRule::strict)
            found |= any_equal(word, '=') | any_equal(word, '\'');
        if (found || at == last)
            return found;
    }
}

void AuditLine::put_untrusted(std::string_view bytes, AuditRule rule, size_t most) {
    if (needs_hex(bytes, rule)) [[unlikely]] {
        put_untrusted_hex(bytes.substr(0, most / 2));
        return;
    }
    bytes = bytes.substr(0, most < 2 ? 0 : most - 2);
    char* to = room(bytes.size() + 2);
    *to++ = '"';
    to = std::copy(bytes.begin(), bytes.end(), to);
    *to++ = '"';
    advance_to(to);
}

void AuditLine::put_untrusted_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789ABCDEF";
    char* to = room(2 * bytes.size());
    for (const char c : bytes) {
        *to++ = digits[static_cast<uint8_t>(c) >> 4];
        *to++ = digits[static_cast<uint8_t>(c) & 15];
    }
    advance_to(to);
}

void AuditLine::put_word(std::string_view bytes) {
    if (bytes.empty())
        put('?');
    else if (std::ranges::all_of(bytes, is_plain))
        put(bytes);
    else
        put_untrusted_hex(bytes);
}

} // namespace telemetry

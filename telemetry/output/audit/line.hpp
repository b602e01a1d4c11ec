// SPDX-License-Identifier: MIT
// Records of Linux's audit system as its tools read them: one line each, several an event.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "telemetry/base/line_buffer.hpp"

namespace telemetry {

/// Which strings are written in hexadecimal, without quotes. Every reader takes both forms.
enum class AuditRule : uint8_t {
    kernel, ///< as audit_string_contains_control(): a byte below 0x21, above 0x7e, or a quote
    strict, ///< and with '=' or '\'': ausearch looks for `exe=` wherever in the line it stands
};

/// The records of an event under construction.
class AuditLine : public LineBuffer {
  public:
    /// auditd's MAX_AUDIT_MESSAGE_LENGTH is 8,970, with the newline: its tools cut what is longer.
    static constexpr size_t longest_record = 8960;

    /// The first record of another event: it gets a number of its own.
    void start(uint64_t time_ns);
    void begin(std::string_view type);
    void end() { put('\n'); }
    /// Bytes that the record may still take.
    size_t left() const {
        const size_t used = view().size() - begin_of_record_;
        return used < longest_record ? longest_record - used : 0;
    }

    /// A string of a process's, cut where it would take more than `most` bytes.
    void put_untrusted(std::string_view bytes, AuditRule rule, size_t most = SIZE_MAX);
    void put_untrusted_hex(std::string_view bytes);
    /// What is never in quotes, such as a terminal's name.
    void put_word(std::string_view bytes);

    static bool needs_hex(std::string_view bytes, AuditRule rule);
    static size_t size_of(std::string_view bytes, AuditRule rule) {
        return needs_hex(bytes, rule) ? 2 * bytes.size() : bytes.size() + 2;
    }

  private:
    LineBuffer stamp_; ///< " msg=audit(1763759765.000:17):"
    size_t begin_of_record_ = 0;
};

/// Arguments of an exec: as many records as they take, by the rules of audit_log_execve_info().
void put_audit_execve(AuditLine& line, std::string_view strings);

} // namespace telemetry

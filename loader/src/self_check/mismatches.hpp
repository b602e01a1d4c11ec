// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/error.hpp>

#include "loader/src/base/text.hpp"

#include <cstdint>
#include <string>

namespace ebpf_loader::self_check {

/// What was seen and what it should have been, in one sentence a field.
class Mismatches {
  public:
    void expect(const std::string& fields, uint64_t seen, uint64_t expected) {
        if (seen != expected)
            add(fields, std::to_string(seen), std::to_string(expected));
    }
    void expect(const std::string& fields, const std::string& seen, const std::string& expected) {
        if (seen != expected)
            add(fields, in_quotes(seen), in_quotes(expected));
    }
    void add(const std::string& fields, const std::string& seen, const std::string& expected) {
        text_ += "\n  " + fields + ": seen " + seen + ", expected " + expected;
    }
    /// Something did not come at all: on a busy machine it may come when tried again.
    void absent(const std::string& fields, const std::string& what) {
        text_ += "\n  " + fields + ": " + what;
        incomplete_ = true;
    }

    bool incomplete() const { return incomplete_; }
    /// Throws Error(offsets) when there is anything.
    void finish() const {
        if (!text_.empty())
            throw Error(
                ErrorCode::offsets,
                "the kernel offsets are wrong: what the programs reported of this process itself differs" +
                    text_,
                ErrorCause::offsets_refuted);
    }

  private:
    std::string text_;
    bool incomplete_ = false;
};

} // namespace ebpf_loader::self_check

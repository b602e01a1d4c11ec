// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/constants.hpp>

#include "telemetry/base/line_buffer.hpp"

namespace telemetry {

/// Turns numbers into the names of the system call interface, as a JSON array:
/// ["O_WRONLY","O_CREAT"]. Remembers recent answers, since programs repeat themselves.
class ConstantNames {
  public:
    ConstantNames();

    static constexpr int no_set = -1;
    /// For put(); no_set when there is no such set.
    int find_set(std::string_view name) const;

    /// Bits without a name come last, as one number in hex: ["O_WRONLY","0x80"].
    void put_flags(LineBuffer& line, int set, uint64_t value) { put(line, set, value, true); }
    /// The one constant of this value; ["0x63"] when there is none.
    void put_value(LineBuffer& line, int set, uint64_t value) { put(line, set, value, false); }

  private:
    struct Answer {
        bool used = false;
        bool flags = false;
        uint64_t value = 0;
        std::string json;
    };
    struct Set {
        std::string_view name;
        uint64_t choice_mask = 0;                     ///< bits that are one choice among constants, not flags
        std::vector<ebpf_loader::Constant> constants; ///< most bits first
        std::array<Answer, 32> answers;
    };

    void put(LineBuffer& line, int set, uint64_t value, bool flags);
    static const ebpf_loader::Constant* choice_among(const Set& set, uint64_t value);
    static std::string flags_json(const Set& set, uint64_t value);
    static std::string value_json(const Set& set, uint64_t value);

    std::vector<Set> sets_;
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/elf/demangle.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <vector>

namespace telemetry {
namespace {

constexpr size_t longest_mangled = 1024;
constexpr size_t longest_shown = 512;
constexpr size_t bytes_per_entry = 16; ///< of Work::entries
constexpr size_t longest_std = 80;     ///< of Ss: "std::basic_string<char, ...>"

bool is_index(char c) {
    return c == '_' || isdigit(static_cast<unsigned char>(c)) || isupper(static_cast<unsigned char>(c));
}

/// Adds up what each letter of the name can become at most. Letters of identifiers are not known from others:
/// only a whole parser could do that.
class Bound {
  public:
    explicit Bound(std::string_view name) : name_(name) {}

    size_t run() {
        while (at_ < name_.size() && sum_ <= longest_demangled)
            step();
        if (name_.find("cv") != name_.npos) // a conversion may refer to arguments that come after it
            sum_ = arguments_ < 16 ? sum_ << arguments_ : longest_demangled + 1;
        return std::min(sum_, longest_demangled + 1);
    }

  private:
    void step() {
        const char letter = name_[at_++];
        const char next = at_ < name_.size() ? name_[at_] : '\0';
        if (letter == 'S' && is_index(next))
            return substitution();
        if (letter == 'T' && is_index(next)) { // an argument of a template, of a list that has ended
            ++arguments_;
            sum_ += ended_;
        } else if (letter == 'D' && next == 'p') { // a pattern, once for each of a list
            sum_ *= 4;
        } else if ((letter == 'C' || letter == 'D') && isdigit(static_cast<unsigned char>(next))) {
            sum_ += name_.size(); // a constructor: the name of the class again
        } else {
            sum_ += letter == 'S' ? longest_std : islower(static_cast<unsigned char>(letter)) ? 18 : 8;
        }
        if (letter == 'E')
            ended_ = sum_;
    }
    /// "S3_": what the fifth of all parts became. That part was complete when it, or a later one, was first
    /// referred to: it cannot be longer than all that stood before that place.
    void substitution() {
        size_t index = 0;
        for (; at_ < name_.size() && name_[at_] != '_' && index < longest_mangled; ++at_) {
            const char digit = name_[at_];
            if (!is_index(digit))
                break;
            index = index * 36 + static_cast<size_t>(digit <= '9' ? digit - '0' + 1 : digit - 'A' + 11);
        }
        index = std::min(index, longest_mangled);
        while (parts_.size() <= index)
            parts_.push_back(sum_);
        sum_ += parts_[index];
    }

    std::string_view name_;
    size_t at_ = 0, sum_ = 0, ended_ = 0, arguments_ = 0;
    std::vector<size_t> parts_;
};

} // namespace

size_t demangled_bound(std::string_view name) {
    return Bound(name).run();
}

std::string demangled(const std::string& name, WorkBudget& budget) {
    std::string shown = name;
    const bool is_mangled = name.starts_with("_Z") && name.size() <= longest_mangled;
    const size_t bound = is_mangled ? demangled_bound(name) : 0;
    if (is_mangled && bound <= longest_demangled && budget.parse(bound / bytes_per_entry)) {
        int status = -1;
        const std::unique_ptr<char, void (*)(void*)> text(
            abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
        if (text && status == 0)
            shown = text.get();
    }
    if (shown.size() > longest_shown) {
        shown.resize(longest_shown);
        shown += "...";
    }
    return shown;
}

} // namespace telemetry

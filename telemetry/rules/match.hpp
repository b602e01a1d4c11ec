// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/rules/resolve.hpp"

namespace telemetry::rules {

/// `text` may have unknown parts before or after it. != is evaluated as = here and negated once all
/// texts were compared.
Truth compare(const TextTest& test, std::string_view text, bool begin_known, bool end_known);
/// Is `wanted` part of the text? The processes choose the text, so its cost must not be the product of both
/// lengths: it is at most that of comparing 256 bytes at each position.
bool contains(std::string_view text, std::string_view wanted);
/// Compares as the kernel does. A number that is not known compares as `when_unknown`.
bool holds(const NumberTest& test, const Event& event, bool when_unknown);
/// A text whose relevant part could not be read compares as `when_unknown`.
bool holds(const TextTest& test, const Event& event, bool when_unknown);

/// Tests of one field, none with !=, joined by OR. The result is that of holds() for each in turn, but a
/// long list of prefixes costs one search.
class TextSet {
  public:
    TextSet() = default;
    explicit TextSet(std::vector<TextTest> tests);
    bool empty() const { return tests_.empty(); }
    bool any_holds(const Event& event, bool when_unknown) const;

  private:
    bool any_matches(std::string_view text) const;

    std::vector<TextTest> tests_;
    std::vector<std::string> prefixes_; ///< sorted; no prefix begins with another
    std::vector<std::string> wholes_;   ///< sorted
    std::vector<TextTest> others_;
};

/// P: could something that every event has not be read?
bool standard_fields_failed(const Event& event);
/// V: could something that this call has not be read?
bool specific_fields_failed(const Event& event);

} // namespace telemetry::rules

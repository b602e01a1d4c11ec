// SPDX-License-Identifier: MIT
#pragma once
#include <bitset>
#include <string>
#include <string_view>
#include <utility>
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

/// Texts in order, of which none begins with another, so that one search finds which of them a text begins
/// with. With `reversed` all are read from their ends.
class TextOrder {
  public:
    explicit TextOrder(bool reversed = false) : reversed_(reversed) {}
    void add(std::string text) { texts_.push_back(std::move(text)); }
    /// After the last add().
    void finish();
    bool has_begin_of(std::string_view text) const;
    /// Does the text have one of them anywhere? That is a search at each pair of bytes that one of them may
    /// begin with, and a search compares with as many of them as their number has binary digits. Not with
    /// `reversed`.
    bool has_part_of(std::string_view text) const;

  private:
    /// Few enough to stay in the cache, so that others than those that are meant may have the same.
    static size_t pair(char first, char second) {
        return static_cast<unsigned char>(first) * 37u + static_cast<unsigned char>(second);
    }
    bool is_before(std::string_view one, std::string_view other) const;
    bool begins(std::string_view text, std::string_view with) const;

    bool reversed_;
    std::vector<std::string> texts_;
    static constexpr size_t pairs = 1024; ///< a power of two
    std::bitset<pairs> first_pairs_;      ///< by pair(), for texts of several bytes
    std::bitset<256> single_bytes_;       ///< for those of one
};

/// Tests of one field, none with !=, joined by OR. The result is that of holds() for each in turn, but a
/// long list of one kind costs one search.
class TextSet {
  public:
    TextSet() = default;
    explicit TextSet(std::vector<TextTest> tests);
    bool empty() const { return tests_.empty(); }
    /// Is a set of tests of this field searched at once, not test by test?
    static bool is_searched(TextField field) {
        return field == TextField::path || field == TextField::exe || field == TextField::comm;
    }
    bool any_holds(const Event& event, bool when_unknown) const;

  private:
    bool any_matches(std::string_view text) const;

    std::vector<TextTest> tests_;
    TextOrder prefixes_, suffixes_{true}, parts_;
    std::vector<std::string> wholes_; ///< sorted
};

/// P: could something that every event has not be read?
bool standard_fields_failed(const Event& event);
/// V: could something that this call has not be read?
bool specific_fields_failed(const Event& event);

} // namespace telemetry::rules

// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>

#include "telemetry/rules/filter.hpp"

namespace telemetry {

class LineageNode;

/// Of two numbers one that depends on all their bits.
inline uint64_t mixed(uint64_t one, uint64_t other) {
    const auto product =
        static_cast<unsigned __int128>(one ^ 0x9e3779b97f4a7c15) * (other ^ 0xd1b54a32d192ed03);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// A text that a process may have chosen, and of which any length may come: of a long one the last `most`
/// bytes are kept, which of paths say most, and a hash tells it from others.
template <size_t most> class ShortText {
  public:
    static constexpr size_t longest = most;
    /// With its end, and what the allocator adds and rounds up.
    static constexpr size_t most_heap_bytes = longest + 1 + 24;
    using Key = std::string_view;

    static uint64_t hash_of(Key key) { return mixed(std::hash<std::string_view>{}(key), key.size()); }
    bool is(Key key) const { return size_ == key.size() && text_ == end_of(key); }
    void take(Key key) {
        size_ = key.size();
        if (const Key end = end_of(key); end.size() <= text_.capacity())
            text_ = end; // into the memory that is there
        else
            text_ = std::string(end); // assigning would double it
    }
    std::string_view text() const { return text_; }
    bool is_cut() const { return size_ > longest; }

  private:
    static std::string_view end_of(Key key) {
        return key.size() > longest ? key.substr(key.size() - longest) : key;
    }

    std::string text_;
    size_t size_ = 0;
};

using TextLabel = ShortText<255>;

/// A rule: where it stands in its file, and the key that its events get.
class RuleLabel {
  public:
    using Key = rules::ChosenRule;
    static constexpr size_t most_heap_bytes = 2 * TextLabel::most_heap_bytes;

    static uint64_t hash_of(const Key& rule) { return mixed(TextLabel::hash_of(rule.key), rule.lines.first); }
    bool is(const Key& rule) const {
        return first_line_ == rule.lines.first && key_.is(rule.key) && file_.is(rule.lines.file);
    }
    void take(const Key& rule) {
        first_line_ = rule.lines.first;
        last_line_ = rule.lines.last;
        key_.take(rule.key);
        file_.take(rule.lines.file);
    }
    Key whole() const { return {{first_line_, last_line_, file_.text()}, key_.text()}; }

  private:
    uint32_t first_line_ = 0, last_line_ = 0;
    TextLabel key_, file_;
};

/// A process whose events are counted.
struct CountedProcess {
    static constexpr size_t most_ancestors = 8;
    /// The nearest first, each by its `place`; 0 behind the last that is known.
    using Ancestors = std::array<uint64_t, most_ancestors>;

    uint64_t id = 0;    ///< of this process alone; 0: not known which it is
    uint64_t place = 0; ///< of its host and pid, which a later process may have again
    uint32_t pid = 0;
    std::string_view name, user, container;
    std::string_view last;                ///< what it did: a name that outlives the table
    const Ancestors* ancestors = nullptr; ///< null: as `lineage` says
    const LineageNode* lineage = nullptr; ///< null: not known
};

class ProcessLabel {
  public:
    /// The id of a container; names of users are shorter.
    using Name = ShortText<64>;
    using Key = CountedProcess;
    static constexpr size_t most_heap_bytes = TextLabel::most_heap_bytes + 2 * Name::most_heap_bytes;

    static uint64_t hash_of(const Key& key) { return key.id; }
    bool is(const Key& key) const { return id == key.id; }
    void take(const Key& key);
    /// What may have changed since.
    void update(const Key& key) {
        last = key.last;
        if (!name.is(key.name)) // it has executed something
            name.take(key.name);
        if (!user.is(key.user))
            user.take(key.user);
    }
    Key key() const {
        return {id, place, pid, name.text(), user.text(), container.text(), last, &ancestors, nullptr};
    }

    uint64_t id = 0, place = 0;
    uint32_t pid = 0;
    CountedProcess::Ancestors ancestors{};
    TextLabel name;
    Name user, container;
    std::string_view last;
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// Formatted events on their way to an output, in order.
struct Batch {
    /// One event, which may have several lines, or a line that is no event, such as a report of losses.
    struct Item {
        uint32_t bytes = 0;
        bool is_vital = false; ///< exec, exit, fork, credentials, reports: the last to be given up
        bool is_event = true;  ///< counted when it is lost
    };

    std::string bytes;
    std::vector<Item> items;

    bool empty() const { return items.empty(); }
    void put(std::string_view text, bool is_vital, bool is_event) {
        bytes.append(text);
        items.push_back({static_cast<uint32_t>(text.size()), is_vital, is_event});
    }
    void append(const Batch& other) {
        bytes.append(other.bytes);
        items.insert(items.end(), other.items.begin(), other.items.end());
    }
    uint64_t events() const {
        uint64_t count = 0;
        for (const Item& item : items)
            count += item.is_event;
        return count;
    }
    /// Of each item, what it is without the end of its last line; valid as long as the batch is as it is.
    std::vector<std::string_view> texts() const;
    /// The first so many items, which are taken out.
    Batch split(size_t count);
    /// Those items that there is room for: `has_room(bytes, is_vital)` says whether so many fit. `lost` grows
    /// by the number of the other events, `reports` by that of the other lines.
    template <class HasRoom> Batch kept(HasRoom has_room, uint64_t& lost, uint64_t& reports) const;
};

inline std::vector<std::string_view> Batch::texts() const {
    std::vector<std::string_view> texts;
    texts.reserve(items.size());
    std::string_view rest = bytes;
    for (const Item& item : items) {
        std::string_view text = rest.substr(0, item.bytes);
        if (text.ends_with('\n'))
            text.remove_suffix(1);
        texts.push_back(text);
        rest.remove_prefix(item.bytes);
    }
    return texts;
}

inline Batch Batch::split(size_t count) {
    Batch first;
    const auto end = items.begin() + static_cast<std::ptrdiff_t>(count);
    size_t size = 0;
    for (auto item = items.begin(); item != end; ++item)
        size += item->bytes;
    first.items.assign(items.begin(), end);
    first.bytes.assign(bytes, 0, size);
    items.erase(items.begin(), end);
    bytes.erase(0, size);
    return first;
}

template <class HasRoom> Batch Batch::kept(HasRoom has_room, uint64_t& lost, uint64_t& reports) const {
    Batch kept;
    std::string_view rest = bytes;
    for (const Item& item : items) {
        if (has_room(kept.bytes.size() + item.bytes, item.is_vital))
            kept.put(rest.substr(0, item.bytes), item.is_vital, item.is_event);
        else
            ++(item.is_event ? lost : reports);
        rest.remove_prefix(item.bytes);
    }
    return kept;
}

} // namespace telemetry

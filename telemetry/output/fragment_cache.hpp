// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>
#include <string>

#include "telemetry/base/line_buffer.hpp"

namespace telemetry {

/// Pieces of output that one event after the other has the same. `Key` is all that a piece is
/// made of; a place is taken over by the next key that falls on it.
template <class Key, size_t Places> class FragmentCache {
  public:
    /// Puts the piece for `key`, which `render` puts if it is not known. `hash` chooses the place.
    template <class Render> void put(LineBuffer& line, const Key& key, size_t hash, Render render) {
        put_if(line, key, hash, [&] {
            render();
            return true;
        });
    }
    /// The same; `render` returns whether its piece may be kept.
    template <class Render> void put_if(LineBuffer& line, const Key& key, size_t hash, Render render) {
        Place& place = places_[hash % Places];
        if (place.used && place.key == key) [[likely]] {
            line.put(std::string_view(place.piece));
            return;
        }
        const size_t begin = line.view().size();
        if (!render())
            return;
        place.piece = line.view().substr(begin);
        place.key = key;
        place.used = true;
    }

  private:
    struct Place {
        bool used = false;
        Key key{};
        std::string piece;
    };
    std::array<Place, Places> places_;
};

} // namespace telemetry

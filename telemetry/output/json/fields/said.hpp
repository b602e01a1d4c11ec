// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <string>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry {

/// What lines have said of their processes, so that later ones need not. A process is forgotten when
/// another takes its place, and a minute after it was described: who has only the end of a stream, or has
/// lost a line, finds everything within that time.
class JsonSaid {
  public:
    enum class Known : uint8_t { nothing, all_but_thread_name, all };

    JsonSaid() : places_(places) {}
    /// How much of the event's process an earlier line has said. Of `nothing`, the line has to say all: from
    /// now on that counts as said.
    Known look(const Event& event);

  private:
    static constexpr size_t places = 2048, longest_texts = 2048;
    static constexpr uint64_t lasts_ns = 60'000'000'000;

    struct Numbers {
        uint32_t pid = 0, ppid = 0, missing = 0;
        uint64_t start_time_ns = 0;
        uint64_t stamp = 0; ///< of the lineage
        ProcessIds ids;
        uint32_t auid = 0, ses = 0;
        ImageNamespaces namespaces;
        bool has_inode = false;
        InodeInfo executable;
        bool operator==(const Numbers&) const = default;
    };
    struct Length {
        size_t bytes = 0;
        Status status = Status::absent;
    };
    /// Executable, terminal, arguments, working directory, root.
    using Texts = std::array<const Text*, 5>;
    struct Place {
        bool used = false;
        uint64_t time_ns = 0;
        Numbers numbers;
        std::array<Length, 5> lengths;
        std::string texts; ///< one behind the other
        std::string thread_name;
    };

    static Texts texts_of(const Event& event);
    static Numbers numbers_of(const Event& event);
    static bool has_texts(const Place& place, const Texts& texts);
    static void keep(Place& place, const Event& event, const Texts& texts);

    std::vector<Place> places_;
};

} // namespace telemetry

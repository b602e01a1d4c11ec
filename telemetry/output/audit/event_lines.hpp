// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

namespace telemetry {

/// Tells apart the events in lines of any format, for those who count what is lost: each line is one,
/// but for the records of an audit event, which follow each other with one stamp.
class EventLines {
  public:
    /// Is it another event than the line before? Its bytes have to live until the next line.
    bool is_another(std::string_view line) {
        constexpr std::string_view begin = " msg=audit(";
        std::string_view stamp;
        if (line.starts_with("type="))
            if (const size_t at = line.find(begin); at != std::string_view::npos)
                stamp = line.substr(at, line.find(')', at) - at);
        const bool is_same = !stamp.empty() && stamp == stamp_;
        stamp_ = stamp;
        return !is_same;
    }

    /// Of lines that each are ended by '\n'.
    static uint64_t count(std::string_view lines) {
        EventLines events;
        uint64_t all = 0;
        for (size_t end = 0; (end = lines.find('\n')) != std::string_view::npos; lines.remove_prefix(end + 1))
            all += events.is_another(lines.substr(0, end));
        return all;
    }

  private:
    std::string_view stamp_; ///< of the line before, if it was an audit record
};

} // namespace telemetry

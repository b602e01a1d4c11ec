// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include "telemetry/event/event.hpp"

namespace kernel_test {

/// Calls `action` with every text of the event.
template <typename Event, typename Action> void for_each_text(Event& event, Action action) {
    action(event.comm);
    action(event.image.exe.bytes);
    action(event.image.tty.bytes);
    action(event.image.argv.bytes);
    action(event.cwd.bytes);
    action(event.root.bytes);
    for (auto& path : event.path)
        action(path.bytes);
    for (auto& string : event.string)
        action(string.bytes);
    action(event.exec_argv.bytes);
    action(event.sockaddr.bytes);
}

/// An event with the bytes that it refers to.
class OwnedEvent {
  public:
    explicit OwnedEvent(const telemetry::Event& event) : event_(event) {
        size_t size = 0;
        for_each_text(event, [&](std::string_view text) { size += text.size(); });
        bytes_ = std::make_unique<char[]>(size);
        char* at = bytes_.get();
        for_each_text(event_, [&](std::string_view& text) {
            char* begin = at;
            at = std::copy(text.begin(), text.end(), at);
            text = {begin, text.size()};
        });
    }
    const telemetry::Event& operator*() const { return event_; }
    const telemetry::Event* operator->() const { return &event_; }

  private:
    telemetry::Event event_;
    std::unique_ptr<char[]> bytes_;
};

} // namespace kernel_test

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
    action(event.cgroup.bytes);
    action(event.controller_cgroup.bytes);
    for (auto& path : event.path)
        action(path.bytes);
    for (auto& string : event.string)
        action(string.bytes);
    action(event.structure.bytes);
    action(event.exec_argv.bytes);
    action(event.sockaddr.bytes);
    action(event.unix_name);
}

template <typename Witnessed, typename Action> void for_each_witnessed(Witnessed& witnessed, Action action) {
    for (auto& called : witnessed.called)
        action(called.bytes);
    for (auto& address : witnessed.address)
        action(address.bytes);
    action(witnessed.interpreter.bytes);
}

/// An event with the bytes that it refers to.
class OwnedEvent {
  public:
    explicit OwnedEvent(const telemetry::Event& event) : event_(event) {
        if (event.witnessed) {
            witnessed_ = std::make_unique<telemetry::Witnessed>(*event.witnessed);
            event_.witnessed = witnessed_.get();
            for (size_t i = witnessed_->addresses; i < witnessed_->address.size(); i++)
                witnessed_->address[i] = {}; // of events before this one
        }
        if (event.passed) {
            passed_ = std::make_unique<telemetry::PassedDescriptors>(*event.passed);
            event_.passed = passed_.get();
        }
        size_t size = 0;
        const auto measure = [&](std::string_view text) { size += text.size(); };
        for_each_text(event, measure);
        if (witnessed_)
            for_each_witnessed(*witnessed_, measure);
        bytes_ = std::make_unique<char[]>(size);
        char* at = bytes_.get();
        const auto copy = [&](std::string_view& text) {
            char* begin = at;
            at = std::copy(text.begin(), text.end(), at);
            text = {begin, text.size()};
        };
        for_each_text(event_, copy);
        if (witnessed_)
            for_each_witnessed(*witnessed_, copy);
    }
    const telemetry::Event& operator*() const { return event_; }
    const telemetry::Event* operator->() const { return &event_; }

  private:
    telemetry::Event event_;
    std::unique_ptr<telemetry::Witnessed> witnessed_;
    std::unique_ptr<telemetry::PassedDescriptors> passed_;
    std::unique_ptr<char[]> bytes_;
};

} // namespace kernel_test

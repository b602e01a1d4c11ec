// SPDX-License-Identifier: MIT
// What the helper for HTTP does, by this process, at once.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "imds/helper/route.hpp"
#include "imds/helper/work.hpp"

namespace imds_test {

class LocalRoute final : public telemetry::imds::Route {
  public:
    bool send(std::string_view packet) override { return work_.take(packet); }
    Outcome receive(telemetry::Packet& packet, Clock::time_point) override {
        if (answers_.empty())
            return Outcome::late;
        packet.bytes = std::move(answers_.front());
        answers_.pop_front();
        return Outcome::packet;
    }
    void replace() override {}
    bool is_gone() const override { return false; }
    std::chrono::milliseconds patience() const override { return std::chrono::hours(1); }

  private:
    std::deque<std::string> answers_;
    telemetry::imds::HttpWork work_{[this](std::string_view bytes) {
        answers_.emplace_back(bytes);
        return true;
    }};
};

} // namespace imds_test

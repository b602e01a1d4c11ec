// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "telemetry/helper/helper.hpp"

namespace telemetry::imds {

/// The way to who reads HTTP, and back.
class Route {
  public:
    using Clock = Channel::Clock;
    using Outcome = Channel::Outcome;

    virtual ~Route() = default;
    /// Does not wait. False: nobody takes it, for now.
    virtual bool send(std::string_view packet) = 0;
    /// Waits until the deadline. `ended`: what was sent before is lost.
    virtual Outcome receive(Packet& packet, Clock::time_point deadline) = 0;
    /// Ends who is there, and has another one started, without waiting for it.
    virtual void replace() = 0;
    /// There will be no other one.
    virtual bool is_gone() const = 0;
    /// How long an answer may take.
    virtual std::chrono::milliseconds patience() const = 0;
};

/// To a helper process.
class HelperRoute final : public Route {
  public:
    /// It is asked for nothing that waits, so that it may take its time on a busy machine.
    static constexpr Helper::Limits usual = {std::chrono::seconds(2), 64u << 20, "ebt-http"};

    /// Starts the helper, so it is to be made early. Throws std::system_error.
    HelperRoute();
    /// With a helper that does something else, as in tests.
    HelperRoute(const Helper::Work& work, const Helper::Limits& limits)
        : helper_(work, limits), limits_(limits) {}

    bool send(std::string_view packet) override;
    Outcome receive(Packet& packet, Clock::time_point deadline) override;
    void replace() override { helper_.replace(Clock::now()); }
    bool is_gone() const override { return helper_.is_gone(); }
    std::chrono::milliseconds patience() const override { return limits_.answer; }

  private:
    Helper helper_;
    const Helper::Limits limits_;
};

} // namespace telemetry::imds

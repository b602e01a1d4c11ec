// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "telemetry/account/summary.hpp"
#include "telemetry/delivery/config.hpp"
#include "telemetry/delivery/line_limit.hpp"

namespace telemetry {

/// An output of the configuration: a queue, and a thread that carries away what is in it. The thread that
/// reads events puts them in and never waits.
class DeliveryOutput {
  public:
    /// Opens what it needs. Throws ebpf_loader::Error.
    explicit DeliveryOutput(const OutputSettings& settings);
    ~DeliveryOutput();
    DeliveryOutput(const DeliveryOutput&) = delete;
    DeliveryOutput& operator=(const DeliveryOutput&) = delete;

    const std::string& name() const { return name_; }
    /// Does it want events whose rule has this key?
    bool wants(std::string_view key) const;
    void put(std::string_view text, bool is_vital, bool is_event);
    /// Gives what was put to the thread.
    void hand_over();

    bool can_reopen() const { return carrier_->can_reopen(); }
    void reopen();
    bool is_broken() const { return account_.is_broken(); }

    /// What has been put is carried away, if that does not take too long.
    void drain();
    /// No more is put: the thread comes to its end, within the time that is left.
    void end();
    /// Waits for that. What has not been carried away by then is in the spool, or lost.
    void close();

    OutputReport report() const;

  private:
    void run();

    const std::string name_; ///< "http siem"
    const std::vector<std::string> keys_;
    const std::string_view cause_;
    DeliveryAccount account_;
    EventQueue queue_;
    std::unique_ptr<Carrier> carrier_;
    LineLimit limit_;
    Batch batch_;
    uint64_t batch_events_ = 0;
    mutable std::string error_; ///< which report() returned a view of
    std::thread thread_;
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

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
    /// Are there any that it does not want?
    bool is_filtered() const { return !keys_.empty(); }
    void put(std::string_view text, bool is_vital, bool is_event);
    /// Gives what was put to the thread.
    void hand_over();

    /// Goes on with these settings of the same name. What was put before is carried away by those before,
    /// within some seconds; what is put meanwhile waits. Where these cannot be opened, that is logged, and
    /// those before go on. Also after end(). Nothing is waited for.
    void change(const OutputSettings& next);

    /// False where that does nothing.
    bool reopen();
    bool is_broken() const { return account_.is_broken(); }

    /// What has been put is carried away, if that does not take too long.
    void drain();
    /// No more is put: the thread comes to its end, within the time that is left, at most `patience`.
    void end(std::chrono::milliseconds patience = usual_drain);
    /// Waits for that. What has not been carried away by then is in the spool, or lost.
    void close();
    /// The same, with this time however little is left of the run.
    void close_within(std::chrono::milliseconds patience);

    OutputReport report() const;

    static constexpr std::chrono::milliseconds usual_drain{1000};

  private:
    /// What a carrier is for: the lines of this queue.
    struct Turn {
        std::shared_ptr<EventQueue> queue;
        OutputSettings settings;
        uint64_t offered = 0; ///< events before those of the queue
    };

    void end_by(EventQueue::Clock::time_point deadline);
    void run(std::shared_ptr<EventQueue> queue);
    void carry(EventQueue& queue);
    std::shared_ptr<EventQueue> next_turn();
    void close_carrier();
    std::unique_ptr<Carrier> open_next(const OutputSettings& next);

    // of the thread that puts
    std::string name_; ///< "http siem"
    std::vector<std::string> keys_;
    const std::string_view cause_;
    LineLimit limit_;
    std::shared_ptr<EventQueue> queue_;
    std::vector<std::weak_ptr<EventQueue>> earlier_; ///< those of settings before, while not empty
    uint64_t earlier_lost_reports_ = 0;              ///< by them
    Batch batch_;
    uint64_t batch_events_ = 0;
    mutable std::string error_; ///< which report() returned a view of

    DeliveryAccount account_;
    OutputSettings settings_; ///< of the carrier; the output's thread changes them

    // of both threads
    std::mutex mutex_;
    std::unique_ptr<Carrier> carrier_; ///< none: it could not be opened. The output's thread replaces it
    std::deque<Turn> next_;
    bool is_running_ = false;
    std::thread thread_;
};

/// What a reload makes of the outputs: the settings of all that shall be, and, by name and opened, those that
/// there were not before.
struct NewOutputs {
    std::vector<OutputSettings> settings;
    std::map<std::string, std::unique_ptr<DeliveryOutput>, std::less<>> opened;
};

} // namespace telemetry

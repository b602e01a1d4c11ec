// SPDX-License-Identifier: MIT
// Carriers to far ends that acknowledge, with and without a spool.
#pragma once
#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "telemetry/delivery/carrier.hpp"
#include "telemetry/delivery/deliverer.hpp"
#include "telemetry/delivery/settings.hpp"
#include "telemetry/spool/spool.hpp"

namespace telemetry {

struct ReliableOptions {
    std::optional<SpoolOptions> spool;
    size_t batch_bytes = 1 << 20;
    size_t batch_items = 1000;
    std::chrono::milliseconds linger{1000}; ///< how long a batch waits to be filled
    DelivererOptions deliverer;
};

/// The options that each such output has.
inline constexpr std::string_view reliable_options[] = {
    "spool", "spool_dir", "batch_bytes", "batch_events", "batch_time", "retry_first", "retry_longest"};
/// The names of a kind's own options with these behind them.
std::vector<std::string_view>
with_reliable_options(std::initializer_list<std::span<const std::string_view>> own);
/// `usual`: what holds where an option is not given.
ReliableOptions reliable_options_of(const Settings& settings, const ReliableOptions& usual = {});

/// Opens the spool. Throws ebpf_loader::Error.
std::unique_ptr<Carrier> make_reliable_carrier(const ReliableOptions& options,
                                               std::unique_ptr<Sender> sender);

} // namespace telemetry

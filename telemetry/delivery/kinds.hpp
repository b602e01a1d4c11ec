// SPDX-License-Identifier: MIT
// The registry of kinds of configured outputs. A new one is a file that defines its DeliveryKind, and a row
// in kinds.def.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "telemetry/delivery/carrier.hpp"
#include "telemetry/delivery/settings.hpp"

namespace telemetry {

struct DeliveryKind {
    std::string_view name; ///< what the option kind takes
    std::span<const std::string_view> options;
    /// Checks the settings; what it returns opens. Both throw ebpf_loader::Error.
    std::function<std::unique_ptr<Carrier>()> (*prepare)(const Settings& settings);
    /// How long a line of JSON may be that is usual where it goes, in bytes; null: 32 KiB, which shippers
    /// take.
    size_t (*longest_line)(const Settings& settings) = nullptr;
    bool needs_json = false; ///< it reads event.id in the lines
    /// Any option that begins so is the kind's, too; prepare() checks it. Empty: none.
    std::string_view option_prefix = {};
};

#define DELIVERY(name) extern const DeliveryKind name##_delivery;
#include "telemetry/delivery/kinds.def"
#undef DELIVERY

std::span<const DeliveryKind* const> delivery_kinds();

} // namespace telemetry

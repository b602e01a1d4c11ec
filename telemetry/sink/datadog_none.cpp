// SPDX-License-Identifier: MIT
// In place of datadog.cpp where there is no libcurl: programs that are linked statically.
#include <ebpf_loader/error.hpp>

#include "telemetry/sink/datadog.hpp"

namespace telemetry {

std::unique_ptr<DatadogSink> make_datadog_sink(const DatadogOptions&) {
    throw ebpf_loader::Error(
        ebpf_loader::ErrorCode::usage,
        "--datadog: this program was built without libcurl; build it without EBT_STATIC");
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "telemetry/delivery/sender.hpp"

namespace telemetry {

/// What the bulk API of Elasticsearch says of each item. Of what is not understood it is assumed that it was
/// not taken.
Answer judge_bulk(std::string_view body, size_t items);

/// OTLP's partial success says how many records were rejected, not which: those may not be sent again.
Answer judge_otlp(std::string_view body, size_t items);

/// The number under which Splunk tells later whether it has indexed a request; none where its token does not
/// acknowledge.
std::optional<uint64_t> splunk_acknowledgement(std::string_view body);
/// Of an answer that was asked about one number.
bool is_splunk_acknowledged(std::string_view body);

} // namespace telemetry

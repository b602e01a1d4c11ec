// SPDX-License-Identifier: MIT
#include "imds/output/formatter.hpp"

namespace telemetry::imds {

std::unique_ptr<ImdsFormatter> make_imds_formatter(std::string_view name, const ImdsFormatOptions& options) {
    if (name == "text")
        return make_imds_text_formatter(options);
    if (name == "json")
        return make_imds_json_formatter(options);
    return nullptr;
}

std::string_view why_name(Contact::Why why) {
    switch (why) {
    case Contact::Why::no_bytes:
        return "nothing_seen";
    case Contact::Why::not_captured:
        return "not_captured";
    case Contact::Why::io_uring:
        return "io_uring";
    case Contact::Why::not_http:
        return "not_http";
    }
    return {};
}

std::string_view end_name(Exchange::End end) {
    switch (end) {
    case Exchange::End::answered:
        return "answered";
    case Exchange::End::unseen:
        return "response_not_captured";
    case Exchange::End::closed:
        return "closed";
    case Exchange::End::timed_out:
        return "timed_out";
    case Exchange::End::evicted:
        return "evicted";
    }
    return {};
}

} // namespace telemetry::imds

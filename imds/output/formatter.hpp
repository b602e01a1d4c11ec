// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "imds/judge/event.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/process/user_names.hpp"

namespace telemetry::imds {

struct ImdsFormatOptions {
    FormatContext context;
    std::shared_ptr<const UserNames> users; ///< may be null
    bool colour = false;                    ///< of text
    std::optional<UnsafeView> unsafe;       ///< shows bodies and whole URLs
};

/// Appends events to a buffer, a line each. No raw control byte is in a line. text_output.cpp and
/// json_output.cpp have the two forms that every document has, and formatter.cpp what chooses.
class ImdsFormatter {
  public:
    virtual ~ImdsFormatter() = default;
    virtual void format(const ImdsEvent& event, std::string& out) = 0;
};

/// For people: what matters first, v1 and credentials in colour.
std::unique_ptr<ImdsFormatter> make_imds_text_formatter(const ImdsFormatOptions& options);
/// Elastic Common Schema.
std::unique_ptr<ImdsFormatter> make_imds_json_formatter(const ImdsFormatOptions& options);
/// In the program's format, whichever that is.
std::unique_ptr<ImdsFormatter> make_imds_formatter(const Format& format, const ImdsFormatOptions& options);

/// How a connection without content, and how an exchange ended, are called in all formats.
std::string_view content_name(ConnectionReport::Content content);
std::string_view end_name(Exchange::End end);

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "imds/judge/event.hpp"
#include "telemetry/output/formats.hpp"

namespace telemetry::imds {

struct ImdsFormatOptions {
    FormatContext context;
    bool colour = false;              ///< of text output
    std::optional<UnsafeView> unsafe; ///< shows bodies and whole URLs
};

/// Appends events to a buffer, one line each, without unescaped control bytes. text.cpp and json.cpp
/// implement the formats, formatter.cpp chooses between them.
class ImdsFormatter {
  public:
    virtual ~ImdsFormatter() = default;
    virtual void format(const ImdsEvent& event, std::string& out) = 0;
};

/// For reading: the important fields first, v1 and credentials in colour.
std::unique_ptr<ImdsFormatter> make_imds_text_formatter(const ImdsFormatOptions& options);
/// JSON in the Elastic Common Schema.
std::unique_ptr<ImdsFormatter> make_imds_json_formatter(const ImdsFormatOptions& options);
/// For the format that the program was started with.
std::unique_ptr<ImdsFormatter> make_imds_formatter(const Format& format, const ImdsFormatOptions& options);

/// The names of these values in all formats.
std::string_view content_name(ConnectionReport::Content content);
std::string_view end_name(Exchange::End end);

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#include "imds/output/formatter.hpp"

namespace telemetry::imds {

namespace {

class ImdsDocument final : public Document {
  public:
    ImdsDocument(const ImdsEvent& event, ImdsFormatter& text, ImdsFormatter& json)
        : event_(event), text_(text), json_(json) {}

    std::string text() const override { return written_by(text_); }
    std::string json() const override { return written_by(json_); }
    uint64_t time_ns() const override { return event_.time_ns; }

  private:
    std::string written_by(ImdsFormatter& form) const {
        std::string line;
        form.format(event_, line);
        return line;
    }

    const ImdsEvent& event_;
    ImdsFormatter& text_;
    ImdsFormatter& json_;
};

class AnyFormatter final : public ImdsFormatter {
  public:
    AnyFormatter(const Format& format, const ImdsFormatOptions& options)
        : text_(make_imds_text_formatter(options)), json_(make_imds_json_formatter(options)),
          formatter_(format.make(options.context)) {}

    void format(const ImdsEvent& event, std::string& out) override {
        formatter_->format(ImdsDocument(event, *text_, *json_), out);
    }

  private:
    std::unique_ptr<ImdsFormatter> text_, json_;
    std::unique_ptr<Formatter> formatter_;
};

} // namespace

std::unique_ptr<ImdsFormatter> make_imds_formatter(const Format& format, const ImdsFormatOptions& options) {
    return std::make_unique<AnyFormatter>(format, options);
}

std::string_view content_name(ConnectionReport::Content content) {
    switch (content) {
    case ConnectionReport::Content::no_bytes:
        return "nothing_seen";
    case ConnectionReport::Content::not_captured:
        return "not_captured";
    case ConnectionReport::Content::io_uring:
        return "io_uring";
    case ConnectionReport::Content::not_http:
        return "not_http";
    case ConnectionReport::Content::unread:
        return "helper_failed";
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

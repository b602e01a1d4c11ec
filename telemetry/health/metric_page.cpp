// SPDX-License-Identifier: MIT
#include "telemetry/health/metric_page.hpp"

#include "telemetry/base/escape.hpp"

namespace telemetry {

namespace {

constexpr std::string_view prefix = "ebpf_telemetry_";

} // namespace

std::string seconds_text(uint64_t ns) {
    constexpr uint64_t second = 1'000'000'000;
    std::string text = std::to_string(ns / second);
    if (ns % second == 0)
        return text;
    const std::string digits = std::to_string(second + ns % second); // with a digit before the fraction
    text += '.';
    text.append(digits, 1, digits.find_last_not_of('0'));
    return text;
}

std::string label_text(std::string_view bytes) {
    std::string text;
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (at < end) {
        const CodePoint point = decode_utf8(at, end);
        if (*at == '\\' || *at == '"')
            text.append("\\").append(1, *at++);
        else if (*at == '\n')
            text.append("\\n"), ++at;
        else if (point.length == 0)
            text.append("\uFFFD"), ++at;
        else
            text.append(at, point.length), at += point.length;
    }
    return text;
}

void MetricPage::begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = std::string(prefix).append(name);
    text_.append("# HELP ").append(name_).append(" ").append(help).append("\n# TYPE ");
    text_.append(name_).append(" ").append(type).append("\n");
}

void MetricPage::put(uint64_t value, Labels labels, std::string_view suffix) {
    put_sample(std::to_string(value), labels, suffix);
}

void MetricPage::put_signed(int64_t value) {
    put_sample(std::to_string(value), {}, {});
}

void MetricPage::put_ns(uint64_t ns, Labels labels, std::string_view suffix) {
    put_sample(seconds_text(ns), labels, suffix);
}

void MetricPage::put_sample(std::string_view value, Labels labels, std::string_view suffix) {
    text_.append(name_).append(suffix).append("{program=\"").append(program_);
    for (const auto& [name, label] : labels)
        text_.append("\",").append(name).append("=\"").append(label_text(label));
    text_.append("\"} ").append(value).append("\n");
}

void MetricPage::counter(std::string_view name, std::string_view help, uint64_t value) {
    begin(name, "counter", help);
    put(value);
}

void MetricPage::gauge(std::string_view name, std::string_view help, uint64_t value) {
    begin(name, "gauge", help);
    put(value);
}

} // namespace telemetry

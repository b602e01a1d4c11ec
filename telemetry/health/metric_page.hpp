// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace telemetry {

/// A page of metrics in the text format of Prometheus, all of one program.
class MetricPage {
  public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    explicit MetricPage(std::string_view program) : program_(program) {}

    /// Begins a metric: its samples follow. `name` comes after "ebpf_telemetry_".
    void begin(std::string_view name, std::string_view type, std::string_view help);
    void put(uint64_t value, Labels labels = {}, std::string_view suffix = {});
    void put_signed(int64_t value);
    /// As seconds.
    void put_ns(uint64_t ns, Labels labels = {}, std::string_view suffix = {});

    void counter(std::string_view name, std::string_view help, uint64_t value);
    void gauge(std::string_view name, std::string_view help, uint64_t value);

    const std::string& text() const { return text_; }

  private:
    void put_sample(std::string_view value, Labels labels, std::string_view suffix);

    const std::string_view program_;
    std::string name_;
    std::string text_;
};

/// 1'500'000 as "0.0015".
std::string seconds_text(uint64_t ns);
/// What may stand between the quotes of a label's value: UTF-8, with backslashes, quotes and line ends
/// escaped.
std::string label_text(std::string_view bytes);

} // namespace telemetry

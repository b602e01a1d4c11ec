// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "telemetry/output/brief/screen_line.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/output/network/address.hpp"
#include "telemetry/process/account_names.hpp"

namespace telemetry {

/// One line an event for people at a terminal, no wider than it: when, who, what, and how it failed. It
/// leaves out most of what the other formats say.
class BriefFormatter final : public Formatter {
  public:
    explicit BriefFormatter(const FormatContext& context);

    void format(const Event& event, std::string& out) override;
    void format(const LossEvent& loss, std::string& out) override;
    void format(const Document& document, std::string& out) override { out += document.text(); }

  private:
    void begin(uint64_t time_ns);
    void put_user(const Event& event);
    void put_process(const Event& event);
    void put_object(const Event& event, size_t room);
    void put_mode(const Event& event);
    void put_files(const Event& event, size_t room);
    void put_words(std::string_view list, size_t room);
    void put_arguments(const Event& event, size_t room);
    void put_socket(const Event& event, size_t room);
    void put_result(const Event& event, Outcome outcome);
    std::string_view account(const Event& event, uint32_t uid);

    ScreenLine line_;
    CurrentNames names_;
    LineBuffer scratch_, result_;
    unsigned (*columns_)();
    bool is_coloured_;
    unsigned width_ = 0;
    uint64_t second_ = UINT64_MAX;
    std::string clock_; ///< of that second, in local time
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/base/log.hpp"

#include <array>
#include <iostream>
#include <string>
#include <utility>

#include <boost/log/core.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/trivial.hpp>
#include <boost/log/utility/setup/console.hpp>

namespace telemetry {

namespace {

namespace trivial = boost::log::trivial;

// The last two names are those that other trackers use.
constexpr std::array<std::pair<std::string_view, LogLevel>, 8> levels = {{{"trace", LogLevel::trace},
                                                                          {"debug", LogLevel::debug},
                                                                          {"info", LogLevel::info},
                                                                          {"warning", LogLevel::warning},
                                                                          {"error", LogLevel::error},
                                                                          {"fatal", LogLevel::fatal},
                                                                          {"warn", LogLevel::warning},
                                                                          {"panic", LogLevel::fatal}}};

static_assert(static_cast<int>(LogLevel::fatal) == static_cast<int>(trivial::fatal));

trivial::severity_level severity(LogLevel level) {
    return static_cast<trivial::severity_level>(level);
}

} // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
    for (const auto& [known, level] : levels)
        if (name == known)
            return level;
    return std::nullopt;
}

void start_log(LogLevel least, bool silent, std::string_view program) {
    namespace expressions = boost::log::expressions;
    auto core = boost::log::core::get();
    core->set_logging_enabled(!silent);
    core->set_filter(trivial::severity >= severity(least));
    boost::log::add_console_log(std::cerr, boost::log::keywords::auto_flush = true,
                                boost::log::keywords::format =
                                    (expressions::stream << std::string(program) << ": " << trivial::severity
                                                         << ": " << expressions::smessage));
}

void log(LogLevel level, std::string_view line) {
    BOOST_LOG_STREAM_WITH_PARAMS(trivial::logger::get(), (boost::log::keywords::severity = severity(level)))
        << line;
}

} // namespace telemetry

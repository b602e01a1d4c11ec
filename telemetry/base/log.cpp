// SPDX-License-Identifier: MIT
#include "telemetry/base/log.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <boost/log/core.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/trivial.hpp>
#include <boost/make_shared.hpp>

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

/// Boost's own backends wait for the stream that they write to.
class Backend : public boost::log::sinks::basic_formatted_sink_backend<char> {
  public:
    explicit Backend(LogWriter writer) : writer_(std::move(writer)) {}
    void consume(const boost::log::record_view&, const string_type& line) { writer_(line + '\n'); }

  private:
    LogWriter writer_;
};

trivial::severity_level severity(LogLevel level) {
    return static_cast<trivial::severity_level>(level);
}

/// journald then takes the priority of a line from a number before it (sd-daemon(3)), and removes that.
bool goes_to_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream && fstat(STDERR_FILENO, &status) == 0 &&
           std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

std::string_view journal_priority(trivial::severity_level level) {
    switch (level) {
    case trivial::trace:
    case trivial::debug:
        return "<7>";
    case trivial::info:
        return "<6>";
    case trivial::warning:
        return "<4>";
    case trivial::error:
        return "<3>";
    case trivial::fatal:
        break;
    }
    return "<2>";
}

} // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
    for (const auto& [known, level] : levels)
        if (name == known)
            return level;
    return std::nullopt;
}

void start_log(LogLevel least, bool silent, std::string_view program, LogWriter writer) {
    namespace expressions = boost::log::expressions;
    auto core = boost::log::core::get();
    core->set_logging_enabled(!silent);
    core->set_filter(trivial::severity >= severity(least));
    // One thread at a time: the sink has a mutex.
    auto sink = boost::make_shared<boost::log::sinks::synchronous_sink<Backend>>(
        boost::make_shared<Backend>(std::move(writer)));
    sink->set_formatter([program = std::string(program), is_journal = goes_to_journal()](
                            const boost::log::record_view& record, boost::log::formatting_ostream& out) {
        const trivial::severity_level level = *record[trivial::severity];
        if (is_journal)
            out << journal_priority(level);
        out << program << ": " << level << ": " << record[expressions::smessage];
    });
    core->remove_all_sinks();
    core->add_sink(sink);
}

void set_log_level(LogLevel least) {
    boost::log::core::get()->set_filter(trivial::severity >= severity(least));
}

void log(LogLevel level, std::string_view line) {
    BOOST_LOG_STREAM_WITH_PARAMS(trivial::logger::get(), (boost::log::keywords::severity = severity(level)))
        << line;
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
// kind = syslog
#include <algorithm>
#include <chrono>
#include <iterator>
#include <sys/un.h>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/host_name.hpp"
#include "telemetry/delivery/kinds.hpp"
#include "telemetry/delivery/reliable.hpp"
#include "telemetry/delivery/syslog/connection.hpp"
#include "telemetry/delivery/syslog/message.hpp"
#include "telemetry/names/names.hpp"

namespace telemetry {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Result = Answer::Result;
using Transport = SyslogServer::Transport;

constexpr std::string_view own_options[] = {"server",      "rfc",           "facility",
                                            "server_name", "message_bytes", "ca_file",
                                            "cert_file",   "key_file",      "timeout"};

struct SyslogOutputOptions {
    SyslogServer server;
    SyslogForm form;
    std::chrono::milliseconds timeout{};
};

class SyslogSender final : public Sender {
  public:
    explicit SyslogSender(const SyslogOutputOptions& options)
        : timeout_(options.timeout), is_stream_(options.server.transport == Transport::tcp ||
                                                options.server.transport == Transport::tls),
          connect_(make_syslog_connector(options.server)), writer_(options.form) {}

    Answer send(const Batch& batch, const Deadline& run_end) override {
        const auto end = Clock::now() + timeout_;
        Answer answer = attempt(batch, [&] { return std::min(run_end(), end); });
        if (!answer.error.empty())
            connection_.reset(); // the next one begins with a whole message
        // What the last attempt says whose time was cut short is not why the others failed.
        if (!answer.error.empty() && !error_.empty() && Clock::now() >= run_end())
            answer.error = error_;
        error_ = answer.error;
        return answer;
    }

  private:
    Answer attempt(const Batch& batch, const Deadline& deadline) {
        if (connection_ && !connection_->settle(deadline).empty())
            connection_.reset(); // the server went away since
        Answer answer;
        if (!connection_)
            connection_ = connect_(deadline, answer.error);
        if (!connection_)
            return answer;
        return is_stream_ ? send_stream(batch, deadline) : send_datagrams(batch, deadline);
    }

    /// What the far end's kernel has not acknowledged counts as not sent, and the batch comes again.
    Answer send_stream(const Batch& batch, const Deadline& deadline) {
        std::string frames;
        for (const std::string_view event : batch.texts())
            writer_.write(event, [&](std::string_view message) {
                frames.append(std::to_string(message.size())).append(" ").append(message);
                return true;
            });
        std::string error = connection_->write(frames, deadline);
        if (error.empty())
            error = connection_->settle(deadline);
        return {error.empty() ? Result::taken : Result::again, error, {}, {}};
    }

    Answer send_datagrams(const Batch& batch, const Deadline& deadline) {
        std::string error;
        size_t sent = 0;
        for (const std::string_view event : batch.texts()) {
            writer_.write(event, [&](std::string_view message) {
                error = connection_->write(message, deadline);
                return error.empty();
            });
            if (!error.empty())
                break;
            ++sent;
        }
        if (error.empty())
            return {Result::taken, {}, {}, {}};
        if (sent == 0)
            return {Result::again, error, {}, {}};
        std::vector<Result> items(batch.items.size(), Result::again);
        std::fill_n(items.begin(), sent, Result::taken);
        return {Result::taken, error, {}, items};
    }

    const std::chrono::milliseconds timeout_;
    const bool is_stream_;
    const SyslogConnector connect_;
    SyslogWriter writer_;
    std::unique_ptr<SyslogConnection> connection_;
    std::string error_; ///< of the last attempt
};

struct Scheme {
    std::string_view prefix, port;
    Transport transport;
};
constexpr Scheme schemes[] = {
    {"udp://", "514", Transport::udp}, {"tcp://", "514", Transport::tcp}, {"tls://", "6514", Transport::tls}};

/// "HOST", "HOST:PORT", "[ADDRESS]:PORT"
void read_address(const Settings& settings, std::string_view text, SyslogServer& server) {
    constexpr unsigned long most = 65535;
    std::string_view port;
    if (text.starts_with('[') && text.find(']') != text.npos) {
        server.host = text.substr(1, text.find(']') - 1);
        port = text.substr(text.find(']') + 1);
    } else {
        server.host = text.substr(0, text.find(':'));
        port = text.substr(server.host.size());
    }
    if (port.starts_with(':'))
        server.port = port.substr(1);
    const bool is_number = !server.port.empty() && server.port.size() <= 5 &&
                           std::ranges::all_of(server.port, [](char c) { return c >= '0' && c <= '9'; });
    if (server.host.empty() || !is_number || (!port.empty() && port[0] != ':') ||
        std::stoul(server.port) == 0 || std::stoul(server.port) > most)
        settings.refuse("server",
                        "has HOST, HOST:PORT or [ADDRESS]:PORT behind the //, not " + in_quotes(text));
    if (!can_resolve() && numeric_address(server.host, 0).empty())
        settings.refuse("server", "needs an address in numbers: this program is static and resolves no names "
                                  "here. For TLS, server_name says whose certificate is expected");
}

SyslogServer server_of(const Settings& settings) {
    const std::string text = settings.has("server") ? settings.text("server") : "/dev/log";
    SyslogServer server;
    if (text.starts_with('/')) {
        if (text.size() >= sizeof(sockaddr_un::sun_path))
            settings.refuse("server", "is longer than a socket's path may be");
        server.host = text;
        return server;
    }
    const auto scheme =
        std::ranges::find_if(schemes, [&](const Scheme& s) { return text.starts_with(s.prefix); });
    if (scheme == std::end(schemes))
        settings.refuse("server",
                        "is a socket such as /dev/log, or begins with tls://, tcp:// or udp://, unlike " +
                            in_quotes(text));
    server.transport = scheme->transport;
    server.port = scheme->port;
    read_address(settings, std::string_view(text).substr(scheme->prefix.size()), server);
    return server;
}

void read_certificates(const Settings& settings, SyslogServer& server) {
    server.name = settings.has("server_name") ? settings.text("server_name") : server.host;
    server.ca_file = settings.path("ca_file");
    server.cert_file = settings.path("cert_file");
    server.key_file = settings.path("key_file");
    for (const char* key : {"server_name", "ca_file", "cert_file", "key_file"})
        if (settings.has(key) && server.transport != Transport::tls)
            settings.refuse(key, "is for TLS: server = tls://HOST");
    if (server.cert_file.empty() != server.key_file.empty())
        settings.refuse("cert_file and key_file go together");
}

SyslogForm form_of(const Settings& settings, Transport transport) {
    constexpr unsigned first_local = 16, plain = 12; // the numbers between have no agreed names
    constexpr size_t least = 480, most = 1 << 20, longest_datagram = 65'000;
    SyslogForm form;
    form.host = host_name();
    if (settings.has("facility")) {
        const auto choice = static_cast<unsigned>(settings.choice(
            "facility", {"kern",   "user",   "mail",   "daemon",   "auth",   "syslog", "lpr",
                         "news",   "uucp",   "cron",   "authpriv", "ftp",    "local0", "local1",
                         "local2", "local3", "local4", "local5",   "local6", "local7"}));
        form.facility = choice < plain ? choice : choice - plain + first_local;
    }
    const bool is_old = settings.choice("rfc", {"5424", "3164"}) == 1;
    form.kind = is_old ? SyslogForm::Kind::rfc3164 : SyslogForm::Kind::rfc5424;
    if (transport == Transport::local && settings.has("rfc"))
        settings.refuse("rfc", "is for servers: the system's log has a form of its own");
    if (transport == Transport::local)
        form.kind = SyslogForm::Kind::local;
    const bool is_stream = transport == Transport::tcp || transport == Transport::tls;
    form.message_bytes =
        settings.size("message_bytes", form.message_bytes, least, is_stream ? most : longest_datagram);
    return form;
}

std::function<std::unique_ptr<Carrier>()> prepare(const Settings& settings) {
    SyslogOutputOptions syslog;
    syslog.server = server_of(settings);
    read_certificates(settings, syslog.server);
    syslog.form = form_of(settings, syslog.server.transport);
    syslog.timeout = settings.time("timeout", 30s);
    const ReliableOptions reliable = reliable_options_of(settings);
    return [syslog, reliable] {
        return make_reliable_carrier(reliable, std::make_unique<SyslogSender>(syslog));
    };
}

const std::vector<std::string_view> options = with_reliable_options({own_options});

/// Longer lines go in parts, and come whole.
size_t longest_line(const Settings& /*settings*/) {
    return 1 << 20;
}

} // namespace

const DeliveryKind syslog_delivery = {
    .name = "syslog", .options = options, .prepare = prepare, .longest_line = longest_line};

} // namespace telemetry

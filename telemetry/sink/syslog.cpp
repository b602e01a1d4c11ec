// SPDX-License-Identifier: MIT
#include "telemetry/sink/syslog.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/base/line_buffer.hpp"
#include "telemetry/base/run_end.hpp"
#include "telemetry/output/audit/event_lines.hpp"
#include "telemetry/sink/sinks.hpp"
#include "telemetry/sink/syslog_message.hpp"

namespace telemetry {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr SinkOption command_line_options[] = {
    {"syslog,s", "also send events to syslog (facility user, ident ebpf-telemetry)"},
};

constexpr unsigned priority = 1 * 8 + 6; // facility user, severity info
constexpr auto reconnect_interval = std::chrono::seconds(1);

/// Datagrams to the log's socket, one a line, in the form of RFC 3164. libc's syslog() would
/// wait for ever for a daemon that takes nothing, and would not report what it lost.
class SyslogSink final : public Sink {
  public:
    explicit SyslogSink(const SyslogOptions& options) : options_(options) {
        if (!connect())
            throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, error_ + ". " + remedy(last_errno_));
    }

    void write(std::string_view lines, uint64_t events) override;
    void flush() override {}
    uint64_t lost() const override { return lost_; }
    bool broken() const override { return false; } // a daemon that ended may come back
    std::string_view error() const override { return error_; }

  private:
    static std::string remedy(int error_number);
    bool connect();
    void note_error(int error_number);
    bool reconnect();
    void put_header();
    bool send_line(std::string_view line);
    bool send_message(std::string_view text);
    ssize_t send_once(std::string_view text);
    bool wait_until_writable(Clock::time_point deadline);

    const SyslogOptions options_;
    ebpf_loader::UniqueFd socket_;
    Clock::time_point last_connect_;
    LineBuffer header_;
    time_t header_second_ = -1;
    Clock::time_point deadline_; ///< until when write() may wait, whatever it is given
    bool stalled_ = false;
    SyslogParts parts_;
    uint64_t lost_ = 0;
    int last_errno_ = 0;
    std::string error_;
};

std::string SyslogSink::remedy(int error_number) {
    switch (error_number) {
    case ENOENT:
    case ECONNREFUSED:
        return "Is a syslog daemon running?";
    case EPROTOTYPE:
        return "The syslog daemon must accept datagrams there (a SOCK_DGRAM socket).";
    default:
        return "Check the socket and its permissions.";
    }
}

bool SyslogSink::connect() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    errno = ENAMETOOLONG;
    ebpf_loader::UniqueFd fd;
    if (options_.socket.size() < sizeof(address.sun_path)) {
        std::memcpy(address.sun_path, options_.socket.data(), options_.socket.size());
        fd = ebpf_loader::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    }
    last_connect_ = Clock::now();
    if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
        socket_ = std::move(fd);
        return true;
    }
    note_error(errno);
    return false;
}

void SyslogSink::note_error(int error_number) {
    last_errno_ = error_number;
    error_ = "Cannot write to the system log at " + options_.socket + ": " + std::strerror(error_number);
}

/// A daemon that was restarted has a new socket under the old name.
bool SyslogSink::reconnect() {
    return Clock::now() - last_connect_ >= reconnect_interval && connect();
}

void SyslogSink::write(std::string_view lines, uint64_t events) {
    uint64_t failed = 0;
    bool has_failed = false; // a line of this event
    EventLines in_order;
    deadline_ = Clock::now() + run_end::at_most(options_.patience);
    put_header();
    while (!lines.empty()) {
        const size_t end = lines.find('\n');
        const std::string_view line = lines.substr(0, end);
        if (in_order.is_another(line))
            has_failed = false;
        if (!send_line(line)) {
            failed += !has_failed;
            has_failed = true;
        }
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    lost_ += std::min(failed, events);
}

void SyslogSink::put_header() {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == header_second_)
        return;
    header_second_ = now.tv_sec;
    header_.clear();
    header_.put('<');
    header_.put_decimal(priority);
    header_.put('>');
    put_rfc3164_time(header_, header_second_);
    header_.put(' ');
    header_.put(syslog_identity);
    header_.put('[');
    header_.put_decimal(static_cast<uint64_t>(getpid()));
    header_.put("]: ");
}

bool SyslogSink::send_line(std::string_view line) {
    return parts_.for_each(line, header_.view().size(), options_.message_bytes,
                           [this](std::string_view part) { return send_message(part); });
}

bool SyslogSink::send_message(std::string_view text) {
    const auto deadline = stalled_ ? Clock::time_point{} : deadline_;
    for (;;) {
        if (send_once(text) >= 0) {
            stalled_ = false;
            return true;
        }
        switch (errno) {
        case EINTR:
            break;
        case EAGAIN:
            if (!wait_until_writable(deadline))
                return false;
            break;
        case EMSGSIZE:
        case ENOBUFS:
        case ENOMEM:
            note_error(errno);
            return false;
        default:
            note_error(errno);
            if (!reconnect())
                return false;
            break;
        }
    }
}

ssize_t SyslogSink::send_once(std::string_view text) {
    const std::string_view header = header_.view();
    std::array<iovec, 2> pieces = {
        iovec{const_cast<char*>(header.data()), header.size()},
        iovec{const_cast<char*>(text.data()), text.size()},
    };
    msghdr message = {};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    return sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// False when the daemon has not taken a message in time: nothing is waited for then, until it does.
bool SyslogSink::wait_until_writable(Clock::time_point deadline) {
    const auto left =
        run_end::at_most(std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), milliseconds(0)));
    pollfd descriptor = {socket_.get(), POLLOUT, 0};
    if (left.count() > 0 && poll(&descriptor, 1, static_cast<int>(left.count())) != 0)
        return true; // or a signal: looked at again
    stalled_ = true;
    error_ = "The syslog daemon at " + options_.socket + " does not keep up";
    return false;
}

} // namespace

std::unique_ptr<Sink> make_syslog_sink(const SyslogOptions& options) {
    return std::make_unique<SyslogSink>(options);
}

const SinkKind syslog_sink = {
    .name = "syslog",
    .cause = "output_syslog",
    .options = command_line_options,
    .open = [](const std::string&, const SinkContext&) { return make_syslog_sink(); },
};

} // namespace telemetry

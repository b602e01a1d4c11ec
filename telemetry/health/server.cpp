// SPDX-License-Identifier: MIT
#include "telemetry/health/server.hpp"

#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <functional>
#include <mutex>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <ebpf_loader/error.hpp>

#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

/// TCP and Unix sockets in one.
using Protocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using Clock = std::chrono::steady_clock;

constexpr unsigned most_connections = 16;
constexpr std::chrono::seconds longest_request{5};
constexpr std::chrono::seconds longest_silence{30};
constexpr uint32_t most_header_bytes = 8192;

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

/// The pages, and since when they are there.
class Pages {
  public:
    void put(HealthPages pages) {
        const std::lock_guard lock(mutex_);
        pages_ = std::make_shared<const HealthPages>(std::move(pages));
        time_ = Clock::now();
    }
    std::pair<std::shared_ptr<const HealthPages>, Clock::duration> get() const {
        const std::lock_guard lock(mutex_);
        return {pages_, Clock::now() - time_};
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const HealthPages> pages_ = std::make_shared<const HealthPages>();
    Clock::time_point time_ = Clock::now();
};

void fill(Response& response, const char* type, std::string text) {
    response.set(http::field::content_type, type);
    response.body() = std::move(text);
}

void answer_health(Response& response, Clock::duration age) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age);
    if (seconds <= longest_silence)
        return fill(response, "text/plain", "ok\n");
    response.result(http::status::service_unavailable);
    fill(response, "text/plain",
         "the thread that reads events has stood still for " + std::to_string(seconds.count()) + " s\n");
}

Response answer(const Request& request, const Pages& pages) {
    Response response(http::status::ok, request.version());
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(false);
    const auto [now, age] = pages.get();
    const beast::string_view target = request.target();
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
        response.result(http::status::method_not_allowed);
        response.set(http::field::allow, "GET, HEAD");
    } else if (target == "/metrics") {
        fill(response, "text/plain; version=0.0.4; charset=utf-8", now->metrics);
    } else if (target == "/healthz") {
        answer_health(response, age);
    } else if (target == "/status") {
        fill(response, "text/plain; charset=utf-8", now->status_text);
    } else if (target == "/status.json") {
        fill(response, "application/json", now->status_json);
    } else {
        response.result(http::status::not_found);
        fill(response, "text/plain", "there are /metrics, /healthz, /status and /status.json\n");
    }
    response.content_length(response.body().size());
    if (request.method() == http::verb::head)
        response.body().clear();
    return response;
}

/// One connection, which lives as long as something of it is under way.
class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(Protocol::socket socket, const Pages& pages, std::function<void()> ended)
        : stream_(std::move(socket)), pages_(pages), ended_(std::move(ended)) {
        parser_.header_limit(most_header_bytes);
        parser_.body_limit(0);
    }
    ~Session() { ended_(); }

    void run() {
        stream_.expires_after(longest_request);
        http::async_read(stream_, buffer_, parser_,
                         [self = shared_from_this()](beast::error_code error, size_t) {
                             if (!error)
                                 self->respond();
                         });
    }

  private:
    void respond() {
        response_ = answer(parser_.get(), pages_);
        http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code, size_t) {
            beast::error_code ignored;
            self->stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
        });
    }

    Stream stream_;
    beast::flat_buffer buffer_{most_header_bytes};
    http::request_parser<http::empty_body> parser_;
    Response response_;
    const Pages& pages_;
    const std::function<void()> ended_;
};

/// A descriptor that asio closes.
int for_asio(const ebpf_loader::UniqueFd& socket) {
    return fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
}

Protocol protocol_of(const ListenAddress& address) {
    if (!address.path.empty())
        return {AF_UNIX, 0};
    return {address.is_v6 ? AF_INET6 : AF_INET, IPPROTO_TCP};
}

} // namespace

class HealthServer::Impl {
  public:
    explicit Impl(const ListenAddress& address) : acceptor_(context_) {
        acceptor_.assign(protocol_of(address), for_asio(listen_at(address)));
        accept();
    }

    void run() { context_.run(); }
    void stop() { context_.stop(); }
    void put(HealthPages pages) { pages_.put(std::move(pages)); }

  private:
    void accept() {
        acceptor_.async_accept([this](beast::error_code error, Protocol::socket socket) {
            if (error)
                return pause();
            ++connections_;
            std::make_shared<Session>(std::move(socket), pages_, [this] { ended(); })->run();
            if (connections_ < most_connections)
                accept();
        });
    }
    /// Out of descriptors, for example.
    void pause() {
        pause_.expires_after(std::chrono::seconds(1));
        pause_.async_wait([this](beast::error_code error) {
            if (!error)
                accept();
        });
    }
    void ended() {
        if (connections_-- == most_connections)
            accept();
    }

    Pages pages_;
    unsigned connections_ = 0;
    asio::io_context context_{1};
    asio::basic_socket_acceptor<Protocol> acceptor_;
    asio::steady_timer pause_{context_};
};

HealthServer::HealthServer(const std::string& address)
    : address_(parse_listen_address(address)), impl_(std::make_unique<Impl>(address_)) {
    thread_ = start_aside([this] { impl_->run(); });
}

HealthServer::~HealthServer() {
    impl_->stop();
    thread_.join();
    if (!address_.path.empty())
        unlink(address_.path.c_str());
}

void HealthServer::put(HealthPages pages) {
    impl_->put(std::move(pages));
}

std::string ask_status(const std::string& address, bool is_json) {
    const ListenAddress to = parse_listen_address(address);
    asio::io_context context;
    Protocol::socket socket(context, protocol_of(to), for_asio(connect_to(to)));
    http::request<http::empty_body> request(http::verb::get, is_json ? "/status.json" : "/status", 11);
    request.set(http::field::host, "localhost");
    beast::error_code error;
    http::write(socket, request, error);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    if (!error)
        http::read(socket, buffer, response, error);
    if (error || response.result() != http::status::ok)
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 "--status: " + to.text() + " does not answer as this program does: " +
                                     (error ? error.message() : std::string(response.reason())));
    return response.body();
}

} // namespace telemetry

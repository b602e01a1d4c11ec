// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <utility>

#include <ebpf_loader/error.hpp>

#include "telemetry/delivery/syslog/connection.hpp"
#include "telemetry/names/names.hpp"
#include "telemetry/sink/certificates.hpp"

namespace telemetry {

namespace {

using ebpf_loader::UniqueFd;
using Context = std::shared_ptr<SSL_CTX>;

std::string openssl_error() {
    std::string text;
    while (const unsigned long code = ERR_get_error()) {
        const char* const reason = ERR_reason_error_string(code);
        text.append(text.empty() ? "" : ": ").append(reason ? reason : "unknown error");
    }
    return text.empty() ? "the connection was closed" : text;
}

[[noreturn]] void refuse(const std::string& what) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                             "kind = syslog: " + what + ": " + openssl_error());
}

/// Portable programs are made on another distribution than they run on; the others' OpenSSL knows.
std::string trusted(const std::string& ca_file) {
#ifdef EBT_PORTABLE
    if (ca_file.empty())
        return trusted_certificates([](const char* name) { return std::getenv(name); });
#endif
    return ca_file;
}

void trust(SSL_CTX* context, const std::string& file) {
    if (file.empty() ? !SSL_CTX_set_default_verify_paths(context)
                     : !SSL_CTX_load_verify_locations(context, file.c_str(), nullptr))
        refuse("ca_file " + file + " cannot be used");
}

Context make_context(const SyslogServer& server) {
    Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!context)
        refuse("OpenSSL cannot start");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    trust(context.get(), trusted(server.ca_file));
    if (!server.cert_file.empty() &&
        SSL_CTX_use_certificate_chain_file(context.get(), server.cert_file.c_str()) != 1)
        refuse("cert_file " + server.cert_file + " cannot be used");
    if (!server.key_file.empty() &&
        SSL_CTX_use_PrivateKey_file(context.get(), server.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        refuse("key_file " + server.key_file + " cannot be used");
    return context;
}

class TlsConnection final : public SyslogConnection {
  public:
    TlsConnection(UniqueFd fd, const Context& context)
        : fd_(std::move(fd)), ssl_(SSL_new(context.get()), SSL_free) {}
    ~TlsConnection() override {
        if (is_open_)
            SSL_shutdown(ssl_.get());
        close_gently(fd_.get());
    }

    std::string handshake(const std::string& name, const Sender::Deadline& deadline) {
        if (!ssl_ || SSL_set_fd(ssl_.get(), fd_.get()) != 1)
            return openssl_error();
        const bool is_address = !numeric_address(name, 0).empty();
        if (is_address ? !X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str())
                       : !SSL_set1_host(ssl_.get(), name.c_str()) ||
                             !SSL_set_tlsext_host_name(ssl_.get(), name.c_str()))
            return openssl_error();
        for (;;) {
            const int result = SSL_connect(ssl_.get());
            if (result == 1)
                break;
            if (std::string error = wait_or_error(result, deadline); !error.empty())
                return reason_of_distrust(error);
        }
        is_open_ = true;
        return wait_for_the_servers_judgement(deadline);
    }

    std::string write(std::string_view bytes, const Sender::Deadline& deadline) override {
        ERR_clear_error();
        while (!bytes.empty()) {
            size_t written = 0;
            const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
            if (result == 1)
                bytes.remove_prefix(written);
            else if (std::string error = wait_or_error(result, deadline); !error.empty())
                return error;
        }
        return {};
    }

    std::string settle(const Sender::Deadline& deadline) override {
        if (std::string error = wait_until_acknowledged(fd_.get(), deadline); !error.empty())
            return error;
        char answer[256]; // session tickets, and that the server closes the connection
        size_t size = 0;
        ERR_clear_error();
        const int result = SSL_read_ex(ssl_.get(), answer, sizeof(answer), &size);
        if (result == 1 || SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ)
            return {};
        is_open_ = false;
        return "the server has closed the connection: " + openssl_error();
    }

  private:
    /// In TLS 1.3 the client is done before the server has looked at its certificate; what is written by then
    /// would be acknowledged by the server's kernel and thrown away. Then come session tickets, or the
    /// refusal.
    std::string wait_for_the_servers_judgement(const Sender::Deadline& deadline) {
        constexpr std::chrono::seconds patience{1};
        const auto end = std::min(deadline(), std::chrono::steady_clock::now() + patience);
        if (SSL_version(ssl_.get()) == TLS1_3_VERSION && SSL_has_pending(ssl_.get()) == 0)
            wait_for(fd_.get(), POLLIN, [end] { return end; });
        return settle(deadline);
    }
    /// Of a function that did not do what it should; empty: it may be tried again.
    std::string wait_or_error(int result, const Sender::Deadline& deadline) {
        const int why = SSL_get_error(ssl_.get(), result);
        if (why == SSL_ERROR_WANT_WRITE)
            return wait_for_room(fd_.get(), deadline);
        if (why == SSL_ERROR_WANT_READ)
            return wait_for(fd_.get(), POLLIN, deadline) ? "" : "the server did not answer in time";
        is_open_ = false; // after such an error not even a farewell may be sent
        return openssl_error();
    }
    std::string reason_of_distrust(const std::string& error) const {
        const long code = SSL_get_verify_result(ssl_.get());
        return code == X509_V_OK ? error : error + ": " + X509_verify_cert_error_string(code);
    }

    const UniqueFd fd_;
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    bool is_open_ = false;
};

} // namespace

SyslogConnector make_tls_connector(const SyslogServer& server) {
    return [server, context = make_context(server)](const Sender::Deadline& deadline,
                                                    std::string& error) -> std::unique_ptr<SyslogConnection> {
        UniqueFd fd = connected_socket(server, deadline, error);
        if (!fd)
            return nullptr;
        ERR_clear_error();
        auto connection = std::make_unique<TlsConnection>(std::move(fd), context);
        error = connection->handshake(server.name, deadline);
        return error.empty() ? std::move(connection) : nullptr;
    };
}

} // namespace telemetry

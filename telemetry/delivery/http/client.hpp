// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/delivery/sender.hpp"
#include "telemetry/sink/compression.hpp"

namespace telemetry {

struct HttpOptions {
    std::string url;
    std::vector<std::string> headers; ///< "Name: value"
    std::string user_and_password;    ///< "user:password"; empty: none
    std::string ca_file;              ///< empty: what this host trusts
    std::string cert_file, key_file;  ///< of the client; empty: none
    std::string proxy;                ///< empty: what libcurl finds in the environment
    std::string no_proxy; ///< hosts to reach without it, with commas between them; empty: the same
    std::string user_agent = "ebpf_telemetry";
    Coding coding = Coding::gzip;
    std::chrono::milliseconds timeout{30'000}; ///< of a request
};

struct HttpAnswer {
    long status = 0;   ///< 0: there was no answer
    std::string error; ///< when there was none
    std::string body;
    std::chrono::milliseconds retry_after{0};

    bool is_success() const { return status >= 200 && status < 300; }
};

/// One server, over a connection that is kept. Used by one thread. What the server answers is bounded in size
/// and in time.
class HttpClient {
  public:
    virtual ~HttpClient() = default;
    /// To the URL, with `path` behind it.
    virtual HttpAnswer post(const std::string& path, std::string_view body,
                            const Sender::Deadline& deadline) = 0;

    static constexpr size_t longest_body = 1 << 20;
    static constexpr size_t longest_head = 64 << 10;
};

/// client_none.cpp is in its place where there is no libcurl: it throws ebpf_loader::Error(usage).
std::unique_ptr<HttpClient> make_http_client(const HttpOptions& options);

} // namespace telemetry

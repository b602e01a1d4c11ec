// SPDX-License-Identifier: MIT
// A log intake of the tests' own, on this machine.
#pragma once
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <strings.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>
#include <zlib.h>

#include <ebpf_loader/unique_fd.hpp>

namespace imds_test {

struct IntakeRequest {
    std::string head;
    std::string body; ///< unpacked
    std::string header(const std::string& name) const {
        for (size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2))
            if (strncasecmp(head.c_str() + at + 2, (name + ": ").c_str(), name.size() + 2) == 0) {
                const size_t begin = at + 4 + name.size();
                return head.substr(begin, head.find("\r\n", begin) - begin);
            }
        return "";
    }
};

inline std::string unpacked(const std::string& packed) {
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 16) != Z_OK)
        throw std::runtime_error("inflateInit2");
    std::string out;
    char block[65536];
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    int result = Z_OK;
    while (result == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(block);
        stream.avail_out = sizeof block;
        result = inflate(&stream, Z_NO_FLUSH);
        out.append(block, sizeof block - stream.avail_out);
    }
    inflateEnd(&stream);
    if (result != Z_STREAM_END)
        throw std::runtime_error("the body is no gzip");
    return out;
}

/// What the server says.
struct IntakeAnswer {
    int status = 200; ///< 0: nothing until the client gives up; -1: it ends the connection
    std::string body = "{}";
    std::string headers = ""; ///< each with its end
};

/// One connection at a time, one request each. `answer` gets the number of the request, from 0.
class IntakeServer {
  public:
    using Answer = std::function<IntakeAnswer(size_t, const IntakeRequest&)>;

    explicit IntakeServer(std::function<int(size_t)> status, uint16_t port = 0)
        : IntakeServer([status = std::move(status)](
                           size_t number, const IntakeRequest&) { return IntakeAnswer{status(number)}; },
                       port) {}
    explicit IntakeServer(Answer answer, uint16_t port = 0) : answer_(std::move(answer)) {
        listener_ = ebpf_loader::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int one = 1;
        setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        socklen_t length = sizeof address;
        if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            listen(listener_.get(), 8) != 0 ||
            getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
            throw std::runtime_error(std::string("intake server: ") + std::strerror(errno));
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~IntakeServer() {
        stop_ = true;
        shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    IntakeServer(const IntakeServer&) = delete;
    IntakeServer& operator=(const IntakeServer&) = delete;

    uint16_t port() const { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/api/v2/logs"; }
    std::vector<IntakeRequest> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

  private:
    void serve() {
        for (size_t number = 0; !stop_; ++number) {
            const ebpf_loader::UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!client)
                return;
            IntakeRequest request;
            if (!read(client.get(), request))
                continue;
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(std::move(request));
            }
            const auto [status, body, headers] = answer_(number, requests().back());
            if (status < 0)
                continue;
            if (status == 0) {
                wait_for_end(client.get());
                continue;
            }
            std::string answer = "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: ";
            answer.append(std::to_string(body.size())).append("\r\n").append(headers);
            answer.append("Connection: close\r\n\r\n").append(body);
            send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }
    }
    bool read(int client, IntakeRequest& request) const {
        std::string bytes;
        char block[65536];
        size_t needed = std::string::npos;
        while (bytes.size() < needed) {
            const ssize_t part = recv(client, block, sizeof block, 0);
            if (part <= 0)
                return false;
            bytes.append(block, static_cast<size_t>(part));
            const size_t end = bytes.find("\r\n\r\n");
            if (needed == std::string::npos && end != bytes.npos) {
                request.head = bytes.substr(0, end + 2);
                needed = end + 4 + std::stoul(request.header("Content-Length"));
            }
        }
        const std::string body = bytes.substr(request.head.size() + 2);
        request.body = request.header("Content-Encoding") == "gzip" ? unpacked(body) : body;
        return true;
    }
    void wait_for_end(int client) const {
        const timeval tick{0, 20'000};
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
        char byte;
        for (ssize_t got = 1; !stop_ && got != 0;) {
            got = recv(client, &byte, 1, 0);
            if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
                return;
        }
    }

    Answer answer_;
    ebpf_loader::UniqueFd listener_;
    uint16_t port_ = 0;
    std::atomic<bool> stop_ = false;
    mutable std::mutex mutex_;
    std::vector<IntakeRequest> requests_;
    std::thread thread_;
};

} // namespace imds_test

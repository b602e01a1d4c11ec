// SPDX-License-Identifier: MIT
#include "test/imds/metadata_server.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <netinet/tcp.h>
#include <stdexcept>
#include <strings.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace metadata {
namespace {

struct ReceivedRequest {
    std::string method, path, version, head;
    bool is_of(const std::string& prefix) const { return path.starts_with(prefix); }
    std::string header(const std::string& name) const {
        for (size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2))
            if (strncasecmp(head.c_str() + at + 2, (name + ":").c_str(), name.size() + 1) == 0) {
                const size_t begin = head.find_first_not_of(' ', at + 3 + name.size());
                return head.substr(begin, head.find("\r\n", begin) - begin);
            }
        return "";
    }
};

struct Answer {
    int status = 200;
    std::string body;
    std::string type = "text/plain";
    std::string headers;
};

const char* reason_of(int status) {
    return status == 200   ? "OK"
           : status == 400 ? "Bad Request"
           : status == 401 ? "Unauthorized"
                           : "Not Found";
}

class Connection {
  public:
    explicit Connection(int fd) : fd_(fd) {
        sockaddr_storage own{};
        socklen_t length = sizeof own;
        getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length);
        char text[INET6_ADDRSTRLEN] = "";
        const void* const address = own.ss_family == AF_INET
                                        ? static_cast<void*>(&reinterpret_cast<sockaddr_in&>(own).sin_addr)
                                        : &reinterpret_cast<sockaddr_in6&>(own).sin6_addr;
        inet_ntop(own.ss_family, address, text, sizeof text);
        address_ = text;
        const int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); // little pieces are packets
    }
    ~Connection() { close(fd_); }

    void converse() {
        ReceivedRequest request;
        while (read(request)) {
            if (!answer(request))
                return;
            if (request.version == "HTTP/1.0" || request.header("Connection") == "close")
                return;
        }
    }

  private:
    bool read(ReceivedRequest& request) {
        size_t end;
        while ((end = bytes_.find("\r\n\r\n")) == bytes_.npos)
            if (!receive())
                return false;
        request.head = bytes_.substr(0, end + 2);
        bytes_.erase(0, end + 4);
        const size_t first = request.head.find(' '), second = request.head.find(' ', first + 1);
        if (first == request.head.npos || second == request.head.npos)
            return false;
        request.method = request.head.substr(0, first);
        request.path = request.head.substr(first + 1, second - first - 1);
        request.version = request.head.substr(second + 1, request.head.find("\r\n") - second - 1);
        if (!request.version.starts_with("HTTP/1."))
            return false;
        const std::string length = request.header("Content-Length");
        const size_t body = length.empty() ? 0 : std::stoul(length);
        while (bytes_.size() < body)
            if (!receive())
                return false;
        bytes_.erase(0, body);
        return true;
    }
    bool receive() {
        char block[16384];
        const ssize_t got = recv(fd_, block, sizeof block, 0);
        bytes_.append(block, got > 0 ? static_cast<size_t>(got) : 0);
        return got > 0;
    }
    void put(std::string_view bytes) const {
        for (ssize_t moved; !bytes.empty(); bytes.remove_prefix(static_cast<size_t>(moved)))
            if ((moved = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL)) <= 0)
                return;
    }

    bool answer(const ReceivedRequest& request) const {
        if (request.is_of("/latest/test/"))
            return misbehave(request.path.substr(sizeof "/latest/test/" - 1));
        const Answer answer = request.is_of("/computeMetadata/") ? gcp(request)
                              : request.is_of("/metadata/")      ? azure(request)
                              : is_alibaba()                     ? alibaba(request)
                                                                 : aws(request);
        put("HTTP/1.1 " + std::to_string(answer.status) + ' ' + reason_of(answer.status) +
            "\r\nContent-Type: " + answer.type + "\r\n" + answer.headers + "Content-Length: " +
            std::to_string(answer.body.size()) + "\r\n\r\n" + (request.method == "HEAD" ? "" : answer.body));
        return true;
    }

    /// What no service should do, and some do. False: that was the end.
    bool misbehave(const std::string& how) const {
        const std::string head = "HTTP/1.1 200 OK\r\nServer: EC2ws\r\n";
        if (how == "chunked") {
            put(head + "Transfer-Encoding: chunked\r\n\r\n");
            put("3\r\none\r\n5;x=y\r\nthree\r\n");
            put("0\r\nX-Trailer: x\r\n\r\n");
            return true;
        }
        if (how == "slow") { // a byte at a time, with pauses
            for (const char c : head.substr(0, 30))
                put({&c, 1}), usleep(3000);
            put(head.substr(30) + "Content-Length: 4\r\n\r\nsl");
            usleep(50'000);
            put("ow");
            return true;
        }
        if (how == "until-the-end")
            put(head + "\r\nten bytes\n");
        else if (how == "cut")
            put(head + "Content-Length: 100\r\n\r\nten bytes\n");
        else if (how == "garbage")
            put("\x16\x03\x01 this is SECRET but no HTTP\r\n\r\n");
        return false; // "hangs-up"
    }

    bool is_alibaba() const { return address_ == addresses[1] || address_ == addresses[4]; }

    Answer aws(const ReceivedRequest& request) const {
        const std::string server = "Server: EC2ws\r\n";
        if (request.method == "PUT")
            return request.path == "/latest/api/token" &&
                           !request.header("X-aws-ec2-metadata-token-ttl-seconds").empty()
                       ? Answer{200, aws_token, "text/plain",
                                "X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\n" + server}
                       : Answer{400, "", "text/html", server};
        const std::string token = request.header("X-aws-ec2-metadata-token");
        if (!token.empty() && token != aws_token)
            return {401, "", "text/html", server};
        if (request.path == "/latest/meta-data/iam/security-credentials/test-role")
            return {200, aws_credentials(), "application/json", server};
        if (request.path == "/latest/meta-data/iam/security-credentials/")
            return {200, "test-role", "text/plain", server};
        if (request.path == "/latest/dynamic/instance-identity/document")
            return {200, aws_document(), "text/plain", server};
        if (request.path == "/latest/user-data")
            return {200, user_data(), "application/octet-stream", server};
        if (request.is_of("/latest/meta-data/instance-id"))
            return {200, "i-0123456789abcdef0", "text/plain", server};
        return {404, "", "text/html", server};
    }

    static Answer gcp(const ReceivedRequest& request) {
        const std::string headers = "Metadata-Flavor: Google\r\nServer: Metadata Server for VM\r\n";
        if (request.header("Metadata-Flavor") != "Google")
            return {403, "missing header", "text/html", headers};
        if (request.path.ends_with("/token"))
            return {200, gcp_oauth(), "application/json", headers};
        if (request.path.find("/identity?") != request.path.npos)
            return {200, gcp_identity, "text/html", headers};
        return {200, "test-project", "application/text", headers};
    }

    static Answer azure(const ReceivedRequest& request) {
        const std::string server = "Server: IMDS/150.870.65.1854\r\n";
        if (request.header("Metadata") != "true")
            return {400, R"({"error":"Bad request. Required metadata header not specified"})",
                    "application/json", server};
        if (request.is_of("/metadata/identity/oauth2/token?"))
            return {200, azure_oauth(), "application/json; charset=utf-8", server};
        return {200, azure_instance(), "application/json; charset=utf-8", server};
    }

    static Answer alibaba(const ReceivedRequest& request) {
        if (request.method == "PUT")
            return request.header("X-aliyun-ecs-metadata-token-ttl-seconds").empty()
                       ? Answer{400, ""}
                       : Answer{200, alibaba_token};
        if (request.path == "/latest/meta-data/ram/security-credentials/test-role")
            return {200, alibaba_credentials(), "application/json"};
        return {200, "i-bp67acfmxazb4p****"};
    }

    int fd_;
    std::string address_; ///< its own
    std::string bytes_;   ///< received, and not looked at
};

int listen_on(const std::string& address) {
    const bool is_ipv6 = address.find(':') != address.npos;
    sockaddr_storage own{};
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(own);
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(own);
    own.ss_family = is_ipv6 ? AF_INET6 : AF_INET;
    (is_ipv6 ? ipv6.sin6_port : ipv4.sin_port) = htons(80);
    inet_pton(own.ss_family, address.c_str(), is_ipv6 ? static_cast<void*>(&ipv6.sin6_addr) : &ipv4.sin_addr);
    const int fd = socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    const socklen_t length = is_ipv6 ? sizeof ipv6 : sizeof ipv4;
    bool is_bound = false;
    for (int i = 0; i < 500 && !is_bound; i++) { // an address of IPv6 takes its time
        is_bound = bind(fd, reinterpret_cast<sockaddr*>(&own), length) == 0;
        if (!is_bound)
            usleep(10'000);
    }
    if (!is_bound || listen(fd, 128)) {
        perror(("metadata server: " + address).c_str());
        _exit(1);
    }
    return fd;
}

} // namespace

std::string aws_credentials() {
    return "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"2026-01-01T00:00:00Z\",\n  \"Type\" : "
           "\"AWS-HMAC\",\n"
           "  \"AccessKeyId\" : \"ASIATESTACCESSKEY000\",\n  \"SecretAccessKey\" : \"" +
           aws_key + "\",\n  \"Token\" : \"" + aws_credential_token +
           "\",\n  \"Expiration\" : \"2099-01-01T06:00:00Z\"\n}";
}

std::string aws_document() {
    return R"({"accountId":"123456789012","instanceId":"i-0123456789abcdef0","region":"eu-west-1"})";
}

std::string azure_instance() {
    return R"({"compute":{"location":"westeurope","customData":"SECRET-azure-custom-data"}})";
}

std::string azure_oauth() {
    return R"({"access_token":")" + azure_token +
           R"(","client_id":"5E29463D-71DA-4FE0-8E69-999B57DB23B0","expires_in":"86399",)"
           R"("expires_on":"1767225600","ext_expires_in":"86399","not_before":"1767139200",)"
           R"("resource":"https://management.azure.com/","token_type":"Bearer"})";
}

std::string gcp_oauth() {
    return R"({"access_token":")" + gcp_token + R"(","expires_in":3599,"token_type":"Bearer"})";
}

std::string alibaba_credentials() {
    return "{\n  \"AccessKeyId\" : \"STS.TESTACCESSKEY000\",\n  \"AccessKeySecret\" : \"" + alibaba_key +
           "\",\n  \"Expiration\" : \"2026-01-01T06:00:00Z\",\n  \"SecurityToken\" : \"" +
           alibaba_security_token +
           "\",\n  \"LastUpdated\" : \"2026-01-01T00:00:00Z\",\n  \"Code\" : \"Success\"\n}";
}

std::string user_data() {
    return "#!/bin/sh\n# " + user_data_secret + "\n" + std::string(300'000, 'x');
}

void serve(void (*ready)()) {
    signal(SIGPIPE, SIG_IGN);
    for (const std::string& address : addresses)
        std::thread([listener = listen_on(address)] {
            for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
                std::thread([fd] { Connection(fd).converse(); }).detach();
        }).detach();
    ready();
    for (char byte; read(STDIN_FILENO, &byte, 1) > 0;)
        ;
    _exit(0);
}

} // namespace metadata

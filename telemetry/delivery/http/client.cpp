// SPDX-License-Identifier: MIT
#include "telemetry/delivery/http/client.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "telemetry/delivery/http/curl_api.hpp"
#include "telemetry/delivery/http/way.hpp"
#include "telemetry/names/names.hpp"
#include "telemetry/sink/certificates.hpp"

namespace telemetry {

namespace {

using Clock = std::chrono::steady_clock;

class Client final : public HttpClient {
  public:
    explicit Client(const HttpOptions& options);
    ~Client() override;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    HttpAnswer post(const std::string& path, std::string_view body,
                    const Sender::Deadline& deadline) override;

  private:
    void set_text(CURLoption option, const std::string& value);
    void trust();
    bool find_addresses(const Sender::Deadline& deadline, std::string& error);
    bool perform(const Sender::Deadline& deadline, HttpAnswer& answer);
    void read_answer(HttpAnswer& answer);
    static size_t take_body(char* bytes, size_t size, size_t count, void* self);
    static size_t take_head(char* bytes, size_t size, size_t count, void* self);
    static int refuse_to_ask(void*, void*, void* self);

    const HttpOptions options_;
    const CurlApi& curl_;
    CURL* easy_;
    CURLM* multi_;
    curl_slist* headers_ = nullptr;
    const HttpWay way_;
    const bool has_names_;
    curl_slist* addresses_ = nullptr;        ///< of the hosts; none: they are not known yet
    Clock::time_point addresses_until_{};    ///< then they are asked for again
    std::unique_ptr<Compressor> compressor_; ///< kept, as its memory is large; null: bodies go as they are
    std::string coded_;
    std::string body_;
    size_t head_bytes_ = 0;
    char error_[CURL_ERROR_SIZE] = "";
};

Client::Client(const HttpOptions& options)
    : options_(options), curl_(curl_api()),
      way_(http_way(options.url, options.proxy, options.no_proxy,
                    [](const char* name) { return std::getenv(name); })),
      has_names_(std::ranges::any_of(
          way_.hosts, [](const HttpWay::Host& host) { return numeric_address(host.name, 0).empty(); })),
      compressor_(Compressor::make(options.coding)) {
    easy_ = curl_.easy_init();
    multi_ = curl_.multi_init();
    if (!easy_ || !multi_)
        return;
    for (const std::string& header : options.headers)
        headers_ = curl_.slist_append(headers_, header.c_str());
    if (options.coding != Coding::none)
        headers_ = curl_.slist_append(headers_, options.coding == Coding::gzip ? "Content-Encoding: gzip"
                                                                               : "Content-Encoding: zstd");
    headers_ = curl_.slist_append(headers_, "Expect:");
    curl_.easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_.easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_.easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L); // time-outs must not raise SIGALRM
    curl_.easy_setopt(easy_, CURLOPT_WRITEFUNCTION, take_body);
    curl_.easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_.easy_setopt(easy_, CURLOPT_HEADERFUNCTION, take_head);
    curl_.easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_.easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
    curl_.easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_.easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L); // credentials are for this server alone
    curl_.easy_setopt(easy_, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_.easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
    set_text(CURLOPT_USERAGENT, options.user_agent);
    set_text(CURLOPT_USERPWD, options.user_and_password);
    set_text(CURLOPT_SSLCERT, options.cert_file);
    set_text(CURLOPT_SSLKEY, options.key_file);
    curl_.easy_setopt(easy_, CURLOPT_PROXY, way_.proxy.c_str()); // also an empty one: no other is looked for
    curl_.easy_setopt(easy_, CURLOPT_NOPROXY, "");
    curl_.easy_setopt(easy_, CURLOPT_RESOLVER_START_FUNCTION, refuse_to_ask);
    curl_.easy_setopt(easy_, CURLOPT_RESOLVER_START_DATA, this);
    trust();
}

Client::~Client() {
    if (easy_)
        curl_.easy_cleanup(easy_);
    if (multi_)
        curl_.multi_cleanup(multi_);
    curl_.slist_free_all(headers_);
    curl_.slist_free_all(addresses_);
}

void Client::set_text(CURLoption option, const std::string& value) {
    if (!value.empty())
        curl_.easy_setopt(easy_, option, value.c_str());
}

/// Portable programs are made on another distribution than they run on; the others' libcurl knows.
void Client::trust() {
    std::string file = options_.ca_file;
#ifdef EBT_PORTABLE
    if (file.empty())
        file = trusted_certificates([](const char* name) { return std::getenv(name); });
#endif
    set_text(CURLOPT_CAINFO, file);
}

size_t Client::take_body(char* bytes, size_t size, size_t count, void* self) {
    std::string& body = static_cast<Client*>(self)->body_;
    if (body.size() + size * count > longest_body)
        return 0; // ends the request
    body.append(bytes, size * count);
    return size * count;
}

size_t Client::take_head(char*, size_t size, size_t count, void* self) {
    size_t& bytes = static_cast<Client*>(self)->head_bytes_;
    bytes += size * count;
    return bytes > longest_head ? 0 : size * count;
}

/// libcurl parses no answers of name servers: it calls this where it was not given the addresses of a host.
/// An address in numbers it reads itself.
int Client::refuse_to_ask(void*, void*, void* self) {
    return static_cast<Client*>(self)->has_names_;
}

/// Of the hosts, from the helper for names. Where it cannot say, those that were known before stay.
bool Client::find_addresses(const Sender::Deadline& deadline, std::string& error) {
    constexpr std::chrono::seconds lifetime(60), pause(10);
    if (!has_names_ || (addresses_ && Clock::now() < addresses_until_))
        return true;
    curl_slist* found = nullptr;
    for (const auto& [name, port] : way_.hosts) {
        if (name.find(':') != name.npos) // libcurl takes no entry of IPv6
            continue;
        std::string entry = name + ":" + std::to_string(port);
        char separator = ':';
        for (const SocketAddress& address : resolve(name, port, deadline, error)) {
            entry += std::exchange(separator, ',');
            entry += address.address.ss_family == AF_INET6 ? "[" + address_text(address) + "]"
                                                           : address_text(address);
        }
        if (separator == ':') { // no address was found
            curl_.slist_free_all(found);
            addresses_until_ = Clock::now() + pause; // the connection may be fine
            return addresses_;
        }
        found = curl_.slist_append(found, entry.c_str());
    }
    curl_.easy_setopt(easy_, CURLOPT_RESOLVE, found);
    curl_.slist_free_all(std::exchange(addresses_, found));
    addresses_until_ = Clock::now() + lifetime;
    return true;
}

HttpAnswer Client::post(const std::string& path, std::string_view body, const Sender::Deadline& deadline) {
    HttpAnswer answer;
    if (!easy_ || !multi_) {
        answer.error = "libcurl cannot start";
        return answer;
    }
    if (!find_addresses(deadline, answer.error))
        return answer;
    answer.error.clear();
    if (options_.coding != Coding::none) {
        coded_.clear();
        if (!compressor_ || !compressor_->put(body, true, coded_)) {
            compressor_ = Compressor::make(options_.coding); // the other stopped in the middle of a stream
            answer.error = "out of memory";
            return answer;
        }
        body = coded_;
    }
    body_.clear();
    head_bytes_ = 0;
    error_[0] = '\0';
    curl_.easy_setopt(easy_, CURLOPT_URL, (options_.url + path).c_str());
    curl_.easy_setopt(easy_, CURLOPT_POSTFIELDS, body.data());
    curl_.easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    if (curl_.multi_add_handle(multi_, easy_) != CURLM_OK) {
        answer.error = "libcurl cannot start";
        return answer;
    }
    if (perform(deadline, answer))
        read_answer(answer);
    else
        addresses_until_ = {}; // they may be others by now
    curl_.multi_remove_handle(multi_, easy_);
    return answer;
}

/// True when there is an answer.
bool Client::perform(const Sender::Deadline& deadline, HttpAnswer& answer) {
    constexpr int look_at_the_deadline_ms = 50;
    for (int running = 1; running > 0;) {
        if (curl_.multi_perform(multi_, &running) != CURLM_OK) {
            answer.error = "libcurl failed";
            return false;
        }
        if (running > 0 && Clock::now() >= deadline()) {
            answer.error = "the run ended before the server answered";
            return false;
        }
        if (running > 0)
            curl_.multi_poll(multi_, nullptr, 0, look_at_the_deadline_ms, nullptr);
    }
    int left = 0;
    const CURLMsg* message = curl_.multi_info_read(multi_, &left);
    const CURLcode code = message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
    if (code == CURLE_OK)
        return true;
    answer.error = error_[0] ? error_ : curl_.easy_strerror(code);
    return false;
}

void Client::read_answer(HttpAnswer& answer) {
    curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_off_t seconds = 0;
    constexpr curl_off_t most_seconds = 86'400;
    if (curl_.easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
        answer.retry_after = std::chrono::seconds(std::min(seconds, most_seconds));
    answer.body = std::move(body_);
}

} // namespace

std::unique_ptr<HttpClient> make_http_client(const HttpOptions& options) {
    return std::make_unique<Client>(options);
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
// kind = http
#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/delivery/http/http.hpp"
#include "telemetry/delivery/kinds.hpp"

namespace telemetry {

namespace {

constexpr std::string_view own_options[] = {"dialect",    "url",           "compress", "timeout",
                                            "ca_file",    "cert_file",     "key_file", "proxy",
                                            "token_file", "password_file", "user",     "no_proxy"};

class HttpSender final : public Sender {
  public:
    HttpSender(const HttpOptions& http, std::shared_ptr<const HttpDialect> dialect)
        : client_(make_http_client(http)), dialect_(std::move(dialect)), path_(dialect_->path()),
          url_(http.url), patience_(http.timeout) {}

    Answer send(const Batch& batch, const Deadline& deadline) override {
        const HttpAnswer answer = client_->post(path_, dialect_->body(batch, body_), deadline);
        tell_of_credentials(answer);
        if (!answer.is_success())
            return judge_status(answer);
        const auto question = dialect_->question(answer);
        if (question && !is_stored(*question, deadline))
            return {Answer::Result::again, "the server has not stored what it took", {}, {}};
        return dialect_->judge(answer, batch);
    }

  private:
    /// Nothing but somebody's help ends that, and the queue or spool is full one day: so it is logged, once
    /// until the server takes something.
    void tell_of_credentials(const HttpAnswer& answer) {
        constexpr long unauthorized = 401, forbidden = 403, proxy_unauthorized = 407;
        const bool is_refused = answer.status == unauthorized || answer.status == forbidden ||
                                answer.status == proxy_unauthorized;
        if (is_refused && !is_told_)
            log(LogLevel::error, url_ + " refuses the key or password (status " +
                                     std::to_string(answer.status) + "): events wait until it takes them");
        is_told_ = is_refused || (is_told_ && !answer.is_success());
    }
    bool is_stored(const HttpDialect::Question& question, const Deadline& deadline) {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::milliseconds look{50}, longest{1000};
        const auto end = Clock::now() + patience_;
        for (auto pause = look;; pause = std::min(2 * pause, longest)) {
            const HttpAnswer answer = client_->post(question.path, question.body, deadline);
            if (answer.is_success() && dialect_->is_stored(answer))
                return true;
            for (const auto next = Clock::now() + pause; Clock::now() < next;) {
                if (Clock::now() >= std::min(end, deadline()))
                    return false;
                std::this_thread::sleep_for(look);
            }
        }
    }

    std::unique_ptr<HttpClient> client_;
    std::shared_ptr<const HttpDialect> dialect_;
    const std::string path_, url_;
    const std::chrono::milliseconds patience_;
    std::string body_;
    bool is_told_ = false; ///< that credentials are refused
};

const HttpDialectKind& dialect_of(const Settings& settings) {
    const std::string name = settings.has("dialect") ? settings.text("dialect") : "ndjson";
    std::string names;
    std::vector<std::string_view> candidates;
    for (const HttpDialectKind& dialect : http_dialects()) {
        if (dialect.name == name)
            return dialect;
        names.append(names.empty() ? "" : ", ").append(dialect.name);
        candidates.push_back(dialect.name);
    }
    settings.refuse("dialect",
                    "is one of " + names + ", not " + in_quotes(name) + suggestion(name, candidates));
}

std::string url_of(const Settings& settings) {
    std::string url = settings.required("url");
    const size_t host = url.find("://") + 3;
    if (!url.starts_with("http://") && !url.starts_with("https://"))
        settings.refuse("url", "begins with http:// or https://, unlike " + in_quotes(url));
    if (url.substr(host, url.find('/', host) - host).find('@') != url.npos)
        settings.refuse("url", "has no passwords in it: user and password_file are for that");
    while (url.ends_with('/') && url.size() > host)
        url.pop_back();
    return url;
}

/// Credentials come from files alone: whoever lists processes sees command lines.
void read_credentials(const Settings& settings, const HttpDialectKind& dialect, HttpOptions& http) {
    const std::string token = settings.secret("token_file");
    if (!token.empty())
        http.headers.push_back(std::string(dialect.token_header) + token);
    if (settings.has("user") != settings.has("password_file"))
        settings.refuse("user and password_file go together");
    if (settings.has("user"))
        http.user_and_password = settings.required("user") + ":" + settings.secret("password_file");
    if (settings.has("user") && !token.empty())
        settings.refuse("token_file and password_file exclude each other");
}

std::function<std::unique_ptr<Carrier>()> prepare(const Settings& settings) {
    const HttpDialectKind& kind = dialect_of(settings);
    const std::shared_ptr<const HttpDialect> dialect = kind.make(settings);
    HttpOptions http;
    http.url = url_of(settings);
    http.headers = dialect->headers();
    constexpr Coding codings[] = {Coding::gzip, Coding::zstd, Coding::none};
    http.coding = codings[settings.choice("compress", {"gzip", "zstd", "none"})];
    http.timeout = settings.time("timeout", http.timeout);
    http.ca_file = settings.path("ca_file");
    http.cert_file = settings.path("cert_file");
    http.key_file = settings.path("key_file");
    http.proxy = settings.text("proxy");
    http.no_proxy = settings.text("no_proxy");
    read_credentials(settings, kind, http);
    const ReliableOptions reliable = reliable_options_of(settings);
    return [http, reliable, dialect] { return make_http_carrier(http, dialect, reliable); };
}

size_t longest_line(const Settings& settings) {
    return dialect_of(settings).longest_line;
}

const std::vector<std::string_view> options = with_reliable_options({own_options, dialect_options});

} // namespace

std::unique_ptr<Carrier> make_http_carrier(const HttpOptions& http,
                                           std::shared_ptr<const HttpDialect> dialect,
                                           const ReliableOptions& reliable) {
    return make_reliable_carrier(reliable, std::make_unique<HttpSender>(http, std::move(dialect)));
}

const DeliveryKind http_delivery = {
    .name = "http", .options = options, .prepare = prepare, .longest_line = longest_line, .needs_json = true};

} // namespace telemetry

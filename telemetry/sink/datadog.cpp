// SPDX-License-Identifier: MIT
#include "telemetry/sink/datadog.hpp"

#include <algorithm>
#include <cstdlib>
#include <curl/curl.h>
#include <mutex>
#include <random>
#include <thread>

#include "telemetry/output/json/line.hpp"
#include "telemetry/rights/aside_thread.hpp"
#include "telemetry/sink/certificates.hpp"
#include "telemetry/sink/compression.hpp"
#include "telemetry/sink/datadog_queue.hpp"

namespace telemetry {
namespace {

using namespace std::chrono_literals;
using Clock = DatadogQueue::Clock;

/// Once for the program, before the first thread; never undone.
void start_curl() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

/// How an attempt ended.
struct Attempt {
    enum class Result : uint8_t { taken, refused, again };
    Result result = Result::again;
    std::string error;
    std::chrono::seconds retry_after{0};
};

/// One connection to the intake, kept alive. Used by one thread.
class Intake {
  public:
    explicit Intake(const DatadogOptions& options);
    ~Intake() {
        curl_slist_free_all(headers_);
        if (handle_)
            curl_easy_cleanup(handle_);
    }
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    Attempt send(const std::string& body, std::chrono::milliseconds timeout);

  private:
    void trust_this_host();
    static size_t ignore(char*, size_t size, size_t count, void*) { return size * count; }
    static Attempt judge(long status);

    CURL* handle_;
    curl_slist* headers_ = nullptr;
};

Intake::Intake(const DatadogOptions& options) : handle_(curl_easy_init()) {
    if (!handle_)
        return;
    for (const std::string& header :
         {"DD-API-KEY: " + options.api_key, std::string("Content-Type: application/json"),
          std::string("Content-Encoding: gzip"), std::string("Expect:")})
        headers_ = curl_slist_append(headers_, header.c_str());
    curl_easy_setopt(handle_, CURLOPT_URL, options.url.c_str());
    curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(handle_, CURLOPT_USERAGENT, "imds-tracker");
    curl_easy_setopt(handle_, CURLOPT_POST, 1L);
    curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L); // time-outs must not raise SIGALRM
    curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
    trust_this_host();
    if (!options.proxy.empty())
        curl_easy_setopt(handle_, CURLOPT_PROXY, options.proxy.c_str());
    if (!options.no_proxy.empty())
        curl_easy_setopt(handle_, CURLOPT_NOPROXY, options.no_proxy.c_str());
}

/// Portable programs are made on another distribution than they run on; the others' libcurl knows.
void Intake::trust_this_host() {
#ifdef EBT_PORTABLE
    const std::string file = trusted_certificates([](const char* name) { return std::getenv(name); });
    if (!file.empty())
        curl_easy_setopt(handle_, CURLOPT_CAINFO, file.c_str());
#endif
}

Attempt Intake::send(const std::string& body, std::chrono::milliseconds timeout) {
    if (!handle_)
        return {Attempt::Result::again, "libcurl cannot start", 0s};
    curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(timeout.count(), 1)));
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    const CURLcode code = curl_easy_perform(handle_);
    if (code != CURLE_OK)
        return {Attempt::Result::again, curl_easy_strerror(code), 0s};
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    Attempt attempt = judge(status);
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(handle_, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
        attempt.retry_after = std::chrono::seconds(std::min<curl_off_t>(seconds, 3600));
    return attempt;
}

/// What is wrong with the request stays wrong; the rest may pass.
Attempt Intake::judge(long status) {
    if (status >= 200 && status < 300)
        return {Attempt::Result::taken, "", 0s};
    const bool may_pass = status >= 500 || status == 408 || status == 429;
    return {may_pass ? Attempt::Result::again : Attempt::Result::refused,
            "the intake answered " + std::to_string(status), 0s};
}

class Sender final : public DatadogSink {
  public:
    explicit Sender(const DatadogOptions& options);
    ~Sender() override;

    void write(std::string_view lines, uint64_t events) override;
    void flush() override {} // the thread sends when it is time
    void finish() override;
    uint64_t lost() const override;
    bool broken() const override { return false; }
    std::string_view error() const override;
    DatadogReport report() const override;

  private:
    void run();
    void deliver(const DatadogQueue::Batch& batch, Intake& intake);
    bool wait_for_next(const Attempt& attempt, std::chrono::milliseconds& pause);
    std::string body_of(const DatadogQueue::Batch& batch) const;
    void note(const Attempt& attempt, size_t events, bool is_given_up);

    const DatadogOptions options_;
    std::string before_, after_; ///< what stands around a message
    DatadogQueue queue_;
    mutable std::mutex mutex_;
    DatadogReport report_;           ///< overflow apart: the queue has that
    uint64_t given_up_ = 0;          ///< events that were lost at the end
    mutable std::string last_error_; ///< which error() returned a view of
    std::minstd_rand random_{std::random_device()()};
    std::thread thread_;
};

Sender::Sender(const DatadogOptions& options)
    : options_(options), queue_({options.queue_bytes, options.batch_bytes, options.batch_events}) {
    before_ = R"({"ddsource":"imds-tracker","service":"imds-tracker","hostname":")" +
              json_escaped(options.host) + R"(","ddtags":")" + json_escaped(options.tags) +
              R"(","message":")";
    after_ = "\"}";
    start_curl();
    thread_ = start_aside([this] { run(); });
}

Sender::~Sender() {
    finish();
}

void Sender::write(std::string_view lines, uint64_t) {
    while (!lines.empty()) {
        const size_t end = std::min(lines.find('\n'), lines.size());
        if (end > 0)
            queue_.put(lines.substr(0, end));
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

void Sender::finish() {
    if (!thread_.joinable())
        return;
    queue_.close(Clock::now() + options_.last_chance);
    thread_.join();
}

void Sender::run() {
    Intake intake(options_);
    for (;;) {
        const DatadogQueue::Batch batch = queue_.take(options_.linger);
        if (batch.events.empty())
            return;
        deliver(batch, intake);
    }
}

/// Tries until the intake takes it, refuses it, or the program ends.
void Sender::deliver(const DatadogQueue::Batch& batch, Intake& intake) {
    const std::string body = compressed(Coding::gzip, body_of(batch));
    auto pause = options_.first_pause;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::min<Clock::duration>(queue_.deadline() - Clock::now(), 1h));
        const bool is_too_late = left <= 0ms;
        Attempt attempt{Attempt::Result::again, "the program ended before the intake answered", 0s};
        if (!is_too_late)
            attempt = intake.send(body, std::min(options_.timeout, left));
        const bool goes_on =
            attempt.result == Attempt::Result::again && !is_too_late && wait_for_next(attempt, pause);
        note(attempt, batch.events.size(), attempt.result == Attempt::Result::again && !goes_on);
        if (!goes_on)
            return;
    }
}

/// Twice as long each time, and not all senders at once. False: there is no time left.
bool Sender::wait_for_next(const Attempt& attempt, std::chrono::milliseconds& pause) {
    const auto jitter = std::chrono::milliseconds(random_() % (static_cast<uint64_t>(pause.count()) / 4 + 1));
    const auto asked = std::chrono::milliseconds(attempt.retry_after);
    const auto time = std::max(pause + jitter, std::min(asked, options_.longest_pause));
    pause = std::min(2 * pause, options_.longest_pause);
    {
        const std::lock_guard lock(mutex_); // visible while it waits
        report_.error = attempt.error;
    }
    return !queue_.pause(time);
}

std::string Sender::body_of(const DatadogQueue::Batch& batch) const {
    LineBuffer body;
    body.put('[');
    for (const std::string& event : batch.events) {
        if (body.last() != '[')
            body.put(',');
        body.put(before_);
        put_json_escaped(body, event);
        body.put(after_);
    }
    body.put(']');
    return std::string(body.view());
}

void Sender::note(const Attempt& attempt, size_t events, bool is_given_up) {
    const std::lock_guard lock(mutex_);
    report_.error = attempt.error;
    if (attempt.result == Attempt::Result::taken)
        report_.sent += events;
    else if (attempt.result == Attempt::Result::refused)
        report_.refused += events;
    else if (is_given_up)
        given_up_ += events;
    else
        ++report_.retries;
}

uint64_t Sender::lost() const {
    const std::lock_guard lock(mutex_);
    return report_.refused + given_up_ + queue_.overflow();
}

std::string_view Sender::error() const {
    const std::lock_guard lock(mutex_);
    last_error_ = report_.error;
    return last_error_;
}

DatadogReport Sender::report() const {
    const std::lock_guard lock(mutex_);
    DatadogReport report = report_;
    report.overflow = queue_.overflow();
    return report;
}

} // namespace

std::unique_ptr<DatadogSink> make_datadog_sink(const DatadogOptions& options) {
    return std::make_unique<Sender>(options);
}

} // namespace telemetry

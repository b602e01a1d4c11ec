// SPDX-License-Identifier: MIT
#include "telemetry/delivery/kafka/producer.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/log.hpp"
#include "telemetry/delivery/kafka/kafka_api.hpp"
#include "telemetry/delivery/kafka/resolve.hpp"

namespace telemetry {

namespace {

using Result = Answer::Result;
using Clock = std::chrono::steady_clock;

constexpr size_t error_bytes = 512;
constexpr int look_at_the_deadline_ms = 50;
constexpr std::chrono::milliseconds last_reports{200}; // are waited for at the end of the run

/// Whom librdkafka calls back, on the thread that polls.
struct Reports {
    std::vector<rd_kafka_resp_err_t> codes; ///< of each message of the batch
    size_t waiting = 0;                     ///< messages that nothing is known of
    std::string error;                      ///< of the connection, the last one

    static size_t index_of(const void* opaque) { return reinterpret_cast<uintptr_t>(opaque) - 1; }
    static void* opaque_of(size_t index) { return reinterpret_cast<void*>(index + 1); }

    static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
        auto& reports = *static_cast<Reports*>(self);
        reports.codes[index_of(message->_private)] = message->err;
        --reports.waiting;
    }
    /// That all brokers are down follows what is wrong with each, which says more.
    static void failed(rd_kafka_t*, int code, const char* reason, void* self) {
        auto& reports = *static_cast<Reports*>(self);
        if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || reports.error.empty())
            reports.error = reason;
    }
    static void keep_silent(const rd_kafka_t*, int, const char*, const char*) {}
};

rd_kafka_conf_t* configured(const KafkaOptions& options, const RefuseProperty& refuse) {
    const KafkaApi& api = kafka_api();
    rd_kafka_conf_t* const conf = api.conf_new_();
    char error[error_bytes] = "";
    for (const KafkaOptions::Property& property : options.properties)
        if (api.conf_set_(conf, property.name.c_str(), property.value.c_str(), error, sizeof(error)) !=
            RD_KAFKA_CONF_OK) {
            api.conf_destroy_(conf);
            refuse(property.key, std::string("is refused by librdkafka: ") + error);
        }
    return conf;
}

std::string value_of(const rd_kafka_conf_t* conf, const char* name) {
    char value[error_bytes] = "";
    size_t size = sizeof(value);
    return kafka_api().conf_get_(conf, name, value, &size) == RD_KAFKA_CONF_OK ? value : "";
}

[[noreturn]] void refuse_all(std::string_view, const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, "kind = kafka: " + why);
}

/// The client of librdkafka, with the threads that it starts: they have the rights of the one that makes it.
class Client {
  public:
    /// Throws ebpf_loader::Error(usage).
    Client(const KafkaOptions& options, Reports& reports) : api_(kafka_api()) {
        rd_kafka_conf_t* const conf = configured(options, refuse_all);
        api_.conf_set_dr_msg_cb_(conf, Reports::delivered);
        api_.conf_set_error_cb_(conf, Reports::failed);
        api_.conf_set_log_cb_(conf, Reports::keep_silent);
        api_.conf_set_opaque_(conf, &reports);
        if (api_.conf_set_resolve_cb_)
            api_.conf_set_resolve_cb_(conf, resolve_for_kafka);
        char error[error_bytes] = "";
        handle_ = api_.new_(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
        if (!handle_) {
            api_.conf_destroy_(conf);
            refuse_all({}, error);
        }
        topic_ = api_.topic_new_(handle_, options.topic.c_str(), nullptr);
        headers_ = api_.headers_new_(options.headers.size());
        for (const auto& [name, value] : options.headers)
            api_.header_add_(headers_, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                             static_cast<ssize_t>(value.size()));
    }
    ~Client() {
        api_.headers_destroy_(headers_);
        if (topic_)
            api_.topic_destroy_(topic_);
        destroy();
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Takes a copy of the batch, which lives as long as librdkafka may look at it: as a whole, since a copy
    /// of each message by itself takes new memory for each. Not before all of the last batch is reported.
    std::vector<std::string_view> hold(const Batch& batch) {
        *held_ = batch;
        return held_->texts();
    }
    /// `text` is in what is held.
    rd_kafka_resp_err_t produce(std::string_view key, std::string_view text, size_t index) {
        rd_kafka_headers_t* const headers = api_.headers_copy_(headers_);
        rd_kafka_vu_t parts[6];
        parts[0].vtype = RD_KAFKA_VTYPE_RKT;
        parts[0].u.rkt = topic_;
        parts[1].vtype = RD_KAFKA_VTYPE_VALUE;
        parts[1].u.mem = {const_cast<char*>(text.data()), text.size()};
        parts[2].vtype = RD_KAFKA_VTYPE_KEY;
        parts[2].u.mem = {const_cast<char*>(key.data()), key.size()};
        parts[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
        parts[3].u.i = 0; // neither a copy nor librdkafka's own
        parts[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
        parts[4].u.ptr = Reports::opaque_of(index);
        parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
        parts[5].u.headers = headers;
        rd_kafka_error_t* const error = api_.produceva_(handle_, parts, std::size(parts));
        if (!error)
            return RD_KAFKA_RESP_ERR_NO_ERROR;
        const rd_kafka_resp_err_t code = api_.error_code_(error);
        api_.error_destroy_(error);
        api_.headers_destroy_(headers);
        return code;
    }
    void poll(int milliseconds) { api_.poll_(handle_, milliseconds); }
    /// Nothing is sent any more: each message is reported.
    void give_up() { api_.purge_(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT); }
    /// It cannot go on; another one may.
    bool is_dead() const { return api_.fatal_error_(handle_, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR; }

  private:
    /// Joins librdkafka's threads, one of which may be waiting for a name server: not for ever then.
    void destroy() {
        constexpr std::chrono::seconds patience{1};
        auto done = std::make_shared<std::promise<void>>();
        const std::future<void> is_done = done->get_future();
        std::thread([destroy = api_.destroy_, handle = handle_, held = held_, done] {
            destroy(handle);
            done->set_value();
        }).detach();
        is_done.wait_for(patience);
    }

    const KafkaApi& api_;
    rd_kafka_t* handle_ = nullptr;
    rd_kafka_topic_t* topic_ = nullptr;
    rd_kafka_headers_t* headers_ = nullptr;
    std::shared_ptr<Batch> held_ = std::make_shared<Batch>();
};

/// A batch is given to librdkafka as a whole and is over when each of its messages is reported.
class KafkaSender final : public Sender {
  public:
    explicit KafkaSender(const KafkaOptions& options) : options_(options) { try_out(); }

    Answer send(const Batch& batch, const Deadline& deadline) override {
        if (!client_)
            client_ = std::make_unique<Client>(options_, reports_); // on the thread that sends
        reports_.error.clear();
        reports_.codes.assign(batch.items.size(), RD_KAFKA_RESP_ERR__IN_PROGRESS);
        texts_ = client_->hold(batch);
        for (size_t i = 0; i < texts_.size(); ++i)
            produce(i, deadline);
        wait(deadline);
        send_alone_what_was_too_large(deadline);
        Answer answer = judge();
        if (client_->is_dead() || gave_up_ || reports_.waiting > 0) {
            client_.reset(); // what it has not reported, or sends still, is not of the next batch
            reports_.waiting = 0;
            gave_up_ = false;
        }
        return answer;
    }

  private:
    /// So that a certificate that cannot be read ends the start: without brokers, nothing is sent.
    void try_out() const {
        KafkaOptions options = options_;
        std::erase_if(options.properties, [](const auto& property) {
            return property.name == "bootstrap.servers" || property.name.starts_with("test.");
        });
        Reports reports;
        const Client client(options, reports);
    }

    void produce(size_t index, const Deadline& deadline) {
        rd_kafka_resp_err_t& code = reports_.codes[index];
        for (;;) {
            const rd_kafka_resp_err_t result = client_->produce(options_.host, texts_[index], index);
            if (result == RD_KAFKA_RESP_ERR_NO_ERROR) {
                ++reports_.waiting;
                return;
            }
            code =
                result == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE : result;
            if (result != RD_KAFKA_RESP_ERR__QUEUE_FULL || Clock::now() >= deadline())
                return;
            client_->poll(look_at_the_deadline_ms);
        }
    }

    void wait(const Deadline& deadline) {
        while (reports_.waiting > 0 && Clock::now() < deadline())
            client_->poll(look_at_the_deadline_ms);
        if (reports_.waiting > 0) {
            client_->give_up();
            gave_up_ = true;
        }
        for (const auto end = Clock::now() + last_reports; reports_.waiting > 0 && Clock::now() < end;)
            client_->poll(look_at_the_deadline_ms);
    }

    /// Brokers take or refuse messages as librdkafka put them together; which one is too large is seen when
    /// it comes alone.
    void send_alone_what_was_too_large(const Deadline& deadline) {
        for (size_t i = 0; i < texts_.size(); ++i)
            if (reports_.codes[i] == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && Clock::now() < deadline()) {
                produce(i, deadline);
                wait(deadline);
                if (reports_.codes[i] == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
                    reports_.codes[i] = RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE;
            }
    }

    static Result result_of(rd_kafka_resp_err_t code) {
        switch (code) {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            return Result::taken;
        case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        case RD_KAFKA_RESP_ERR_INVALID_RECORD:
            return Result::refused;
        default: // a topic that is not there may be made, rights may be given
            return Result::again;
        }
    }

    Answer judge() const {
        Answer answer;
        answer.result = Result::taken;
        for (const rd_kafka_resp_err_t code : reports_.codes) {
            answer.items.push_back(result_of(code));
            if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
                answer.error = kafka_api().err2str_(code);
        }
        if (std::ranges::count(answer.items, Result::taken) == std::ssize(answer.items))
            answer.items.clear();
        else if (std::ranges::count(answer.items, Result::again) == std::ssize(answer.items))
            answer.result = Result::again, answer.items.clear();
        if (!answer.error.empty() && !reports_.error.empty())
            answer.error += ": " + reports_.error;
        return answer;
    }

    const KafkaOptions options_;
    Reports reports_;
    std::unique_ptr<Client> client_;
    std::vector<std::string_view> texts_; ///< of the batch, as the client holds it
    bool gave_up_ = false;
};

} // namespace

void check_kafka(const KafkaOptions& options, const RefuseProperty& refuse) {
    rd_kafka_conf_t* const conf = configured(options, refuse);
    const bool has_sasl = value_of(conf, "security.protocol").starts_with("sasl");
    const bool is_kerberos = value_of(conf, "sasl.mechanisms") == "GSSAPI";
    kafka_api().conf_destroy_(conf);
    if (has_sasl && is_kerberos) // also where no mechanism is named
        refuse(
            "rdkafka.security.protocol",
            "needs rdkafka.sasl.mechanism, other than GSSAPI, for which librdkafka runs kinit: this program "
            "runs no others. Take SCRAM-SHA-512, PLAIN or OAUTHBEARER, or TLS with a client certificate");
}

std::unique_ptr<Sender> make_kafka_sender(const KafkaOptions& options) {
    if (!kafka_api().conf_set_resolve_cb_)
        log(LogLevel::warning,
            "librdkafka is older than 2.0, so that it resolves names of brokers in this process "
            "and not in the helper for names");
    return std::make_unique<KafkaSender>(options);
}

} // namespace telemetry

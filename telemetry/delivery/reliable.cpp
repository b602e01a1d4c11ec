// SPDX-License-Identifier: MIT
#include "telemetry/delivery/reliable.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace telemetry {

namespace {

using namespace std::chrono_literals;
using Clock = EventQueue::Clock;

bool is_over(const EventQueue& queue) {
    return queue.is_closed() && Clock::now() >= queue.deadline();
}

/// From memory to the far end. What has not been delivered at the end of the run is lost.
class MemoryCarrier final : public Carrier {
  public:
    MemoryCarrier(const ReliableOptions& options, std::unique_ptr<Sender> sender)
        : options_(options), sender_(std::move(sender)) {}

    void run(EventQueue& queue, DeliveryAccount& account) override {
        Deliverer deliverer(options_.deliverer, *sender_, account, [](std::string_view) {});
        const EventQueue::Wanted wanted = {options_.batch_bytes, options_.batch_items, options_.linger,
                                           1000ms};
        for (;;) {
            Batch batch = queue.take(wanted);
            if (batch.empty() && queue.is_finished())
                break;
            if (batch.empty())
                continue;
            const Batch left = is_over(queue)
                                   ? std::move(batch)
                                   : deliverer.deliver(
                                         std::move(batch), [&] { return queue.deadline(); },
                                         [&](std::chrono::milliseconds time) { return queue.pause(time); });
            account.lost("run_end", left);
        }
    }

  private:
    const ReliableOptions options_;
    std::unique_ptr<Sender> sender_;
};

/// By way of the disk: the output's thread writes there, another one reads and delivers.
class SpoolCarrier final : public Carrier {
  public:
    SpoolCarrier(const ReliableOptions& options, std::unique_ptr<Sender> sender)
        : options_(options), sender_(std::move(sender)), spool_(*options.spool) {}

    void run(EventQueue& queue, DeliveryAccount& account) override {
        const Spool::Found found = spool_.found();
        account.resumed(found.events + found.damaged);
        account.lost_in_turn("spool_damaged", found.damaged);
        account.set_spool(spool_.state().bytes, options_.spool->bytes);
        std::thread delivery([&] { deliver(queue, account); }); // signals are blocked, as in this thread
        write(queue, account);
        is_written_ = true;
        spool_.wake();
        spool_.sync();
        delivery.join();
        spool_.sync();
        account.lost("disk_full", spool_.take_memory());
    }

  private:
    void write(EventQueue& queue, DeliveryAccount& account) {
        auto next_sync = Clock::now() + 1s;
        for (;;) {
            const auto patience = std::chrono::ceil<std::chrono::milliseconds>(next_sync - Clock::now());
            const Batch batch = queue.take({.bytes = 1 << 20, .patience = std::max(patience, 0ms)});
            if (!batch.empty()) {
                const Spool::Refused refused = spool_.append(batch);
                account.lost("spool_full", refused.full);
                account.lost("disk_full", refused.disk);
                account.lost_reports(refused.reports);
            }
            if (Clock::now() >= next_sync) {
                spool_.sync();
                next_sync = Clock::now() + 1s;
                if (std::string error = spool_.state().error; !error.empty())
                    account.set_error(std::move(error));
            }
            account.set_spool(spool_.state().bytes, options_.spool->bytes);
            if (batch.empty() && queue.is_finished())
                return;
        }
    }

    void deliver(EventQueue& queue, DeliveryAccount& account) {
        Deliverer deliverer(options_.deliverer, *sender_, account,
                            [this](std::string_view lines) { spool_.put_aside(lines); });
        bool is_full = false;
        while (!is_over(queue)) {
            if (!is_full)
                queue.wait_until_closed(options_.linger);
            const bool is_last = is_written_;
            Spool::Portion portion =
                spool_.read(options_.batch_bytes, options_.batch_items, is_last ? 0ms : 1000ms);
            account.lost_in_turn("spool_damaged", spool_.take_damaged());
            is_full = portion.batch.bytes.size() >= options_.batch_bytes / 2 ||
                      portion.batch.items.size() >= options_.batch_items / 2;
            if (portion.batch.empty()) {
                spool_.acknowledge(); // what could not be read is gone
                if (is_last)
                    return;
                continue;
            }
            const Batch left = deliverer.deliver(
                std::move(portion.batch), [&] { return queue.deadline(); },
                [&](std::chrono::milliseconds time) { return queue.pause(time); });
            if (left.empty()) {
                spool_.acknowledge();
                account.set_spool(spool_.state().bytes, options_.spool->bytes);
            } else {
                if (!portion.is_on_disk)
                    account.lost("run_end", left);
                return;
            }
        }
    }

    const ReliableOptions options_;
    std::unique_ptr<Sender> sender_;
    Spool spool_;
    std::atomic<bool> is_written_ = false; ///< nothing follows
};

} // namespace

std::vector<std::string_view>
with_reliable_options(std::initializer_list<std::span<const std::string_view>> own) {
    std::vector<std::string_view> names;
    for (const std::span<const std::string_view> some : own)
        names.insert(names.end(), some.begin(), some.end());
    names.insert(names.end(), std::begin(reliable_options), std::end(reliable_options));
    return names;
}

ReliableOptions reliable_options_of(const Settings& settings, const ReliableOptions& usual) {
    constexpr size_t least_spool = 1 << 20, most_spool = size_t{1} << 40;
    constexpr size_t least_batch = 4096, most_batch = 64 << 20;
    constexpr uint64_t most_events = 100'000;
    ReliableOptions options = usual;
    options.batch_bytes = settings.size("batch_bytes", options.batch_bytes, least_batch, most_batch);
    options.batch_items = settings.number("batch_events", options.batch_items, 1, most_events);
    options.linger = settings.time("batch_time", options.linger);
    options.deliverer.first_pause = settings.time("retry_first", options.deliverer.first_pause);
    options.deliverer.longest_pause = std::max(
        settings.time("retry_longest", options.deliverer.longest_pause), options.deliverer.first_pause);
    if (!settings.has("spool")) {
        if (settings.has("spool_dir"))
            settings.refuse("spool_dir", "needs the option spool, the size that the spool may have");
        return options;
    }
    settings.required("spool_dir");
    options.spool =
        SpoolOptions{settings.path("spool_dir"), settings.size("spool", 0, least_spool, most_spool)};
    return options;
}

std::unique_ptr<Carrier> make_reliable_carrier(const ReliableOptions& options,
                                               std::unique_ptr<Sender> sender) {
    if (options.spool)
        return std::make_unique<SpoolCarrier>(options, std::move(sender));
    return std::make_unique<MemoryCarrier>(options, std::move(sender));
}

} // namespace telemetry

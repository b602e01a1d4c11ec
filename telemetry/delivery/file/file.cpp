// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <linux/capability.h>
#include <utility>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/delivery/file/rotated_file.hpp"
#include "telemetry/delivery/kinds.hpp"
#include "telemetry/process/account_names.hpp"

namespace telemetry {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view options[] = {"path",        "mode",         "owner", "group",
                                        "rotate_size", "rotate_every", "keep",  "compress"};

class FileCarrier final : public Carrier {
  public:
    explicit FileCarrier(const RotatedFileOptions& file)
        : path_(file.path), batch_bytes_(batch_bytes(file.rotate_size)), file_(file) {}

    /// Files are made anew, in folders of others too, and given to whom the options say.
    CapabilityMask capabilities() const override {
        return capability(CAP_DAC_OVERRIDE) | capability(CAP_CHOWN) | capability(CAP_FOWNER);
    }

    void run(EventQueue& queue, DeliveryAccount& account) override {
        for (;;) {
            const bool is_compressing = file_.compress_some();
            Batch batch = queue.take({.bytes = batch_bytes_, .patience = is_compressing ? 0ms : 1000ms});
            if (is_reopen_asked_.exchange(false))
                reopen_now();
            taken_ += batch.events();
            if (batch.empty()) {
                file_.tick();
            } else {
                file_.write(batch);
                queue.give_back(std::move(batch));
            }
            settle(account);
            if (queue.is_finished() || (queue.is_closed() && EventQueue::Clock::now() >= queue.deadline()))
                break;
        }
        file_.finish();
        settle(account);
        account.lost("run_end", queue.take({.bytes = SIZE_MAX, .patience = 0ms}));
    }
    bool can_reopen() const override { return true; }
    void reopen() override { is_reopen_asked_ = true; }

  private:
    /// So that files become nearly as large as they may. The most is what the queue is given at once and no
    /// more, which is written from where it is; two such batches would be copied into one.
    static size_t batch_bytes(uint64_t rotate_size) {
        constexpr uint64_t most = 320 << 10, part = 8;
        return rotate_size ? std::min(most, rotate_size / part) : most;
    }
    void reopen_now() {
        if (file_.reopen())
            log(LogLevel::info, "file " + path_ + ": reopened");
        else
            log(LogLevel::error, "file " + path_ + ": not reopened: " + file_.error());
    }
    void settle(DeliveryAccount& account) {
        const uint64_t lost = file_.lost(), written = taken_ - lost - file_.waiting();
        account.lost("not_written", lost - lost_);
        const uint64_t lines = file_.lost_lines(); // of JSON an event each, but for reports
        const uint64_t reports = std::max(lines > lost ? lines - lost : 0, lost_reports_);
        account.lost_reports(reports - std::exchange(lost_reports_, reports));
        if (written > written_)
            account.delivered(written - written_);
        lost_ = lost;
        written_ = std::max(written, written_);
        account.set_error(file_.error());
    }

    const std::string path_;
    const size_t batch_bytes_;
    RotatedFile file_;
    std::atomic<bool> is_reopen_asked_ = false;
    uint64_t taken_ = 0, lost_ = 0, lost_reports_ = 0, written_ = 0;
};

/// A number, or a name that the file knows.
std::optional<uint32_t> id_of(const Settings& settings, std::string_view key, std::optional<uint32_t> named) {
    const std::string text = settings.text(key);
    if (text.empty() || named)
        return named;
    uint32_t id = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, id);
    if (error != std::errc{} || rest != end)
        settings.refuse(key, "is a number or a name in /etc/passwd or /etc/group, not " + in_quotes(text));
    return id;
}

std::function<std::unique_ptr<Carrier>()> prepare(const Settings& settings) {
    constexpr uint64_t most_kept = 1000;
    constexpr size_t least_size = 4096, most_size = size_t{1} << 40;
    settings.required("path");
    const AccountNames names(settings.host_root() + "/etc/passwd", settings.host_root() + "/etc/group");
    RotatedFileOptions file;
    file.path = settings.path("path");
    file.mode = settings.mode("mode").value_or(0600);
    file.owner = id_of(settings, "owner", names.user_id(settings.text("owner")));
    file.group = id_of(settings, "group", names.group_id(settings.text("group")));
    file.rotate_size = settings.size("rotate_size", 0, least_size, most_size);
    file.rotate_every = settings.time("rotate_every", 0ms);
    file.keep = static_cast<unsigned>(settings.number("keep", file.keep, 0, most_kept));
    file.coding = static_cast<Coding>(settings.choice("compress", {"none", "gzip", "zstd"}));
    return [file] { return std::make_unique<FileCarrier>(file); };
}

} // namespace

const DeliveryKind file_delivery = {.name = "file", .options = options, .prepare = prepare};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/spool/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "telemetry/spool/record.hpp"

namespace telemetry {

namespace {

using ebpf_loader::UniqueFd;

constexpr size_t least_segment = 64 << 10, largest_segment = 8 << 20, segments = 16;

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
}

} // namespace

Spool::Spool(const SpoolOptions& options)
    : options_(options), segment_bytes_(std::clamp(options.bytes / segments, least_segment, largest_segment)),
      folder_(SpoolFolder::claim(options.folder)) {
    recover();
}

Spool::~Spool() {
    sync();
    const std::lock_guard lock(mutex_);
    if (acknowledged_ + 1 != next_)
        return;
    for (const Segment& segment : segments_)
        folder_.remove(segment.first);
}

void Spool::recover() {
    acknowledged_ = written_acknowledged_ = read_to_ = folder_.acknowledged();
    uint64_t last = acknowledged_;
    const std::vector<uint64_t> numbers = folder_.segments();
    for (const uint64_t first : numbers)
        look_at(first, last, first == numbers.back());
    next_ = std::max(next_, last + 1);
}

/// `last`: number of the last record that is known of.
void Spool::look_at(uint64_t first, uint64_t& last, bool is_last_segment) {
    const std::optional<std::string> bytes = folder_.read(first);
    if (bytes && bytes->empty())
        return folder_.remove(first);
    const bool is_behind_others = !segments_.empty() || found_.damaged > 0;
    if (first > last + 1) { // the end of the one before is missing, or all before is acknowledged
        found_.damaged += is_behind_others ? first - last - 1 : 0;
        last = first - 1;
    }
    if (!bytes) { // of at least one record; it stays for who can read it
        fail("cannot read a file");
        ++found_.damaged;
        last = std::max(last, first);
        next_ = std::max(next_, first + 1);
        return;
    }
    Segment segment{.first = first, .bytes = bytes->size()};
    SpoolReader reader(*bytes);
    size_t damaged_before = 0;
    while (const auto record = reader.next()) {
        damaged_before = reader.damaged();
        if (record->number <= last)
            continue;
        found_.damaged += record->number - last - 1;
        last = record->number;
        segment.events += record->is_event;
    }
    const bool has_rest = reader.damaged() > damaged_before;
    if (is_last_segment && has_rest) { // of at least one: no later number says of how many
        ++found_.damaged;
        ++last;
    }
    next_ = std::max({next_, last + 1, first + 1}); // another file than this one
    found_.events += segment.events;
    bytes_ += segment.bytes;
    segments_.push_back(segment);
}

bool Spool::fail(const char* what) {
    error_ = "spool " + options_.folder + ": " + what + ": " + std::strerror(errno);
    return false;
}

bool Spool::begin_segment() {
    file_ = folder_.make(next_);
    if (!file_)
        return fail("cannot make a file");
    segments_.push_back({.first = next_});
    return true;
}

bool Spool::write_to_disk(const Batch& batch) {
    if (file_ && segments_.back().bytes >= segment_bytes_) {
        fdatasync(file_.get());
        file_ = UniqueFd();
    }
    if (!file_ && !begin_segment())
        return false;
    std::string text;
    text.reserve(batch.bytes.size() + batch.items.size() * SpoolRecord::header_bytes);
    std::string_view rest = batch.bytes;
    uint64_t number = next_;
    for (const Batch::Item& item : batch.items) {
        put_spool_record(text, {number++, item.is_vital, item.is_event, rest.substr(0, item.bytes)});
        rest.remove_prefix(item.bytes);
    }
    Segment& segment = segments_.back();
    if (!write_all(file_.get(), text)) {
        fail("cannot write");
        if (ftruncate(file_.get(), static_cast<off_t>(segment.bytes)) != 0)
            file_ = UniqueFd(); // its rest is skipped when it is read
        return false;
    }
    error_.clear();
    segment.bytes += text.size();
    segment.events += batch.events();
    bytes_ += text.size();
    next_ = number;
    is_synced_ = false;
    return true;
}

void Spool::write_memory() {
    while (!memory_.empty() && write_to_disk(memory_.front())) {
        memory_bytes_ -= memory_.front().bytes.size();
        memory_.pop_front();
    }
}

Spool::Refused Spool::append(const Batch& batch) {
    const std::lock_guard lock(mutex_);
    Refused refused;
    write_memory();
    const size_t headers = batch.items.size() * SpoolRecord::header_bytes;
    const auto fits = [&](size_t bytes, bool is_vital) {
        return bytes_ + memory_bytes_ + headers + bytes <=
               (is_vital ? options_.bytes : options_.bytes / 8 * 7);
    };
    const bool is_all = fits(batch.bytes.size(), false);
    const Batch some = is_all ? Batch() : batch.kept(fits, refused.full, refused.reports);
    const Batch& kept = is_all ? batch : some;
    if (kept.empty())
        return refused;
    if (!memory_.empty() || !write_to_disk(kept)) {
        const auto has_memory = [&](size_t bytes, bool is_vital) {
            return memory_bytes_ + bytes <=
                   (is_vital ? options_.memory_bytes : options_.memory_bytes / 8 * 7);
        };
        Batch held = kept.kept(has_memory, refused.disk, refused.reports);
        memory_bytes_ += held.bytes.size();
        if (!held.empty())
            memory_.push_back(std::move(held));
    }
    changed_.notify_all();
    return refused;
}

void Spool::sync() {
    UniqueFd file;
    uint64_t acknowledged = 0;
    {
        const std::lock_guard lock(mutex_);
        write_memory();
        acknowledged = acknowledged_;
        if (!is_synced_ && file_)
            file = UniqueFd(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
        is_synced_ = true;
    }
    if (file && fdatasync(file.get()) != 0) {
        const std::lock_guard lock(mutex_);
        fail("cannot sync");
    }
    if (file)
        folder_.sync();
    if (acknowledged != std::exchange(written_acknowledged_, acknowledged))
        folder_.set_acknowledged(acknowledged);
}

bool Spool::can_read() const {
    return read_to_ + 1 < next_ || !memory_.empty();
}

Spool::Portion Spool::read(size_t bytes, size_t items, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return can_read() || is_woken_; });
    is_woken_ = false;
    Portion portion;
    while (reading_ < segments_.size() && read_from_segment(portion.batch, bytes, items)) {
    }
    if (!portion.batch.empty() || memory_.empty())
        return portion;
    portion.is_on_disk = false;
    Batch& front = memory_.front();
    size_t count = 0, size = 0;
    while (count < front.items.size() && count < items &&
           (count == 0 || size + front.items[count].bytes <= bytes))
        size += front.items[count++].bytes;
    portion.batch = front.split(count);
    memory_bytes_ -= size;
    if (front.empty())
        memory_.pop_front();
    return portion;
}

/// False when no more has to be read now.
bool Spool::read_from_segment(Batch& batch, size_t bytes, size_t items) {
    const bool is_written_to = is_written(reading_);
    if (fill()) {
        SpoolReader reader(text_);
        size_t used = 0;
        bool is_full = false;
        while (const auto record = reader.next()) {
            is_full = batch.items.size() >= items ||
                      (!batch.empty() && batch.bytes.size() + record->payload.size() > bytes);
            if (is_full)
                break;
            used = reader.position();
            if (record->number <= read_to_)
                continue;
            read_to_ = segments_[reading_].last_read = record->number;
            events_read_ += record->is_event;
            batch.put(record->payload, record->is_vital, record->is_event);
        }
        text_.erase(0, is_full ? used : text_.size());
        if (is_full)
            return false;
    }
    if (is_written_to)
        return false;
    next_segment();
    return true;
}

/// Reads what the segment has beyond what was read. False when that is nothing.
bool Spool::fill() {
    const Segment& segment = segments_[reading_];
    if (!read_fd_)
        read_fd_ = folder_.open(segment.first);
    while (read_fd_ && text_end_ < segment.bytes) {
        const size_t have = text_.size();
        text_.resize(have + static_cast<size_t>(segment.bytes - text_end_));
        const ssize_t count =
            pread(read_fd_.get(), text_.data() + have, text_.size() - have, static_cast<off_t>(text_end_));
        text_.resize(have + (count > 0 ? static_cast<size_t>(count) : 0));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        text_end_ += static_cast<uint64_t>(count);
    }
    return !text_.empty();
}

void Spool::next_segment() {
    const Segment& segment = segments_[reading_];
    damaged_ += segment.events - std::min(segment.events, events_read_);
    ++reading_;
    read_fd_ = UniqueFd();
    text_.clear();
    text_end_ = events_read_ = 0;
    const uint64_t begin_of_next = reading_ < segments_.size() ? segments_[reading_].first : next_;
    read_to_ = std::max(read_to_, begin_of_next - 1);
}

void Spool::acknowledge() {
    const std::lock_guard lock(mutex_);
    acknowledged_ = read_to_;
    while (reading_ > 0 && segments_.front().last_read <= acknowledged_) {
        folder_.remove(segments_.front().first);
        bytes_ -= segments_.front().bytes;
        segments_.pop_front();
        --reading_;
    }
    const bool is_all_done = !segments_.empty() && acknowledged_ + 1 == next_;
    if (is_all_done && (!error_.empty() || segments_.back().bytes >= segment_bytes_ / 2)) {
        file_ = UniqueFd(); // the one that is written to; it gives its room back
        next_segment();
        folder_.remove(segments_.back().first);
        segments_.clear();
        reading_ = 0;
        bytes_ = 0;
    }
}

void Spool::wake() {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    changed_.notify_all();
}

uint64_t Spool::take_damaged() {
    const std::lock_guard lock(mutex_);
    return std::exchange(damaged_, 0);
}

Batch Spool::take_memory() {
    const std::lock_guard lock(mutex_);
    write_memory();
    Batch left;
    for (const Batch& batch : memory_)
        left.append(batch);
    memory_.clear();
    memory_bytes_ = 0;
    return left;
}

Spool::State Spool::state() const {
    const std::lock_guard lock(mutex_);
    State state{bytes_, next_ - 1 - acknowledged_, error_};
    for (const Batch& batch : memory_)
        state.items += batch.items.size();
    return state;
}

} // namespace telemetry

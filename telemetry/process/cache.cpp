// SPDX-License-Identifier: MIT
#include "telemetry/process/cache.hpp"

#include "telemetry/event/decoder.hpp"

#include <algorithm>
#include <utility>

namespace telemetry {

namespace {

void mark_unavailable(Image& image) {
    image.exe.argument = EBT_ARG_NONE;
    image.exe.status = image.tty.status = image.argv.status = Status::unavailable;
}

/// How many images the event is ahead of the entry; negative: it came late.
int32_t images_ahead(const Event& event, const ProcessTable::Entry& entry) {
    if (event.missing & EBT_MISSING_EXEC_ID)
        return 0;
    return static_cast<int32_t>(event.exec_id - entry.exec_id);
}

/// Fills in what could not be read this time but was before. True: something was.
bool complete_from(const Image& before, Image& image) {
    const bool exe = !image.exe.known() && before.exe.known();
    const bool argv = !image.argv.known() && before.argv.known();
    const bool environment = !image.environment.known() && before.environment.known();
    if (exe)
        image.exe = before.exe;
    if (argv)
        image.argv = before.argv;
    if (environment)
        image.environment = before.environment;
    return exe || argv || environment;
}

} // namespace

ProcessCache::ProcessCache(const Limits& limits, Procfs procfs)
    : limits_(limits), procfs_(std::move(procfs)), table_(limits.processes) {}

ProcessCache::Counters ProcessCache::counters() const {
    Counters result = counters_;
    result.evicted = table_.evicted() + forgotten_;
    return result;
}

void ProcessCache::enrich(Event& event) {
    make_room(event.time_ns);
    if (event.missing & EBT_MISSING_START_TIME) { // without it the process is not known
        if (!event.carries_image)
            mark_unavailable(event.image);
        return;
    }
    ProcessKey key{event.pid, event.start_time_ns};
    complete(event, table_.find(key), key);
    adopt_exec_path(event);
    if (event.kind == EBT_FORK)
        inherit(event, key);
    if (event.kind == EBT_EXIT)
        if (Entry* entry = table_.find(key))
            table_.end(*entry, event.time_ns);
}

/// Before anything is looked up: nothing that an event refers to is removed later.
void ProcessCache::make_room(uint64_t time_ns) {
    table_.expire(time_ns < limits_.grace_ns ? 0 : time_ns - limits_.grace_ns, limits_.grace_processes);
    while (image_bytes_ > limits_.image_bytes && table_.evict()) {
    }
}

bool ProcessCache::shrink() {
    constexpr size_t least_processes = 256, least_bytes = 256 * 1024;
    const bool can = limits_.processes > least_processes || limits_.image_bytes > least_bytes;
    limits_.processes =
        std::max(std::min(limits_.processes, table_.size() + running_.size()) / 2, least_processes);
    limits_.image_bytes = std::max(std::min(limits_.image_bytes, image_bytes_) / 2, least_bytes);
    limits_.grace_processes = std::min(limits_.grace_processes, limits_.processes / 4);
    while (!running_.empty() &&
           (running_.size() > limits_.processes / 2 || image_bytes_ > limits_.image_bytes)) {
        running_.erase(running_.begin());
        ++forgotten_;
    }
    table_.limit(limits_.processes);
    while (image_bytes_ > limits_.image_bytes && table_.evict()) {
    }
    return can;
}

void ProcessCache::complete(Event& event, Entry* entry, const ProcessKey& key) {
    if (event.carries_image)
        return learn(event, entry, key);
    int32_t ahead = entry ? images_ahead(event, *entry) : 1;
    if (ahead > 0)
        return heal(event, entry, key);
    if (ahead != 0) // of an earlier image, which is not known any more
        return mark_unavailable(event.image);
    ++counters_.hits;
    lend(event, entry->image);
}

/// The only place where an event comes to refer to an image: the image lives until the next
/// event is lent one, whatever becomes of the process that it belongs to.
void ProcessCache::lend(Event& event, const std::shared_ptr<const StoredImage>& image) {
    if (!image)
        return mark_unavailable(event.image);
    if (lent_ != image)
        lent_ = image;
    event.image = lent_->view();
}

/// What could not be read this time may be known from before, if the image is the same.
void ProcessCache::learn(Event& event, Entry* entry, const ProcessKey& key) {
    ++counters_.records;
    Image image = event.image;
    bool completed = false;
    if (entry && entry->image && images_ahead(event, *entry) == 0)
        completed = complete_from(entry->image->view(), image);
    auto stored = store(image);
    if (!entry)
        entry = &table_.insert(key);
    entry->exec_id = event.exec_id;
    entry->image = stored;
    if (completed)
        lend(event, stored);
    running_.erase(event.pid);
}

/// The record that had the image was lost, or there was none. Tried once for each image:
/// what is not in /proc now will not be there later.
void ProcessCache::heal(Event& event, Entry* entry, const ProcessKey& key) {
    if (!entry)
        entry = &table_.insert(key);
    entry->exec_id = event.exec_id;
    entry->image = read_again(event);
    lend(event, entry->image);
}

std::shared_ptr<const StoredImage> ProcessCache::read_again(const Event& event) {
    if (const Image* image = procfs_.read(event.pid, event.start_time_ns)) {
        ++counters_.healed;
        return store(*image);
    }
    // Another command name would mean that it has executed something since the start.
    auto running = running_.find(event.pid);
    if (running != running_.end() && running->second.start_ticks == procfs_.ticks(event.start_time_ns) &&
        running->second.comm == event.comm) {
        ++counters_.remembered;
        return running->second.image;
    }
    ++counters_.unhealed;
    return nullptr;
}

void ProcessCache::remember_running() {
    for (uint32_t pid : procfs_.processes()) {
        // The other half is for what is to come.
        if (image_bytes_ > limits_.image_bytes / 2 || running_.size() >= limits_.processes / 2)
            return;
        if (const Procfs::Process* process = procfs_.read(pid))
            running_[pid] = {process->start_ticks, std::string(process->comm), store(process->image)};
    }
}

/// A child starts with the image of its parent.
void ProcessCache::inherit(const Event& event, const ProcessKey& parent_key) {
    ProcessKey child_key{event.child_pid, event.child_start_time_ns};
    Entry* parent = table_.find(parent_key);
    bool known =
        event.child_status == Status::ok && parent && parent->image && images_ahead(event, *parent) == 0;
    if (!known || table_.find(child_key))
        return;
    ++counters_.inherited;
    auto image = parent->image; // the child may replace the parent
    Entry& child = table_.insert(child_key);
    child.exec_id = event.exec_id;
    child.image = std::move(image);
}

std::shared_ptr<const StoredImage> ProcessCache::store(const Image& image) {
    return std::make_shared<const StoredImage>(image, image_bytes_);
}

} // namespace telemetry

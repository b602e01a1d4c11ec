// SPDX-License-Identifier: MIT
#include "telemetry/process/table.hpp"

#include <algorithm>
#include <bit>

#include <ebpf_loader/random.hpp>

namespace telemetry {

namespace {

uint64_t mix(uint64_t x) {
    x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
    return x ^ x >> 33;
}

} // namespace

ProcessTable::ProcessTable(size_t capacity)
    : capacity_(std::clamp<size_t>(capacity, 2, 1u << 30)), buckets_(std::bit_ceil(capacity_)),
      seed_(ebpf_loader::random_bits()) { // whoever forks does not choose the bucket
    entries_.reserve(first_entry + capacity_);
    entries_.resize(first_entry);
    for (uint32_t list : {living, ended})
        entries_[list].older = entries_[list].newer = list;
}

uint32_t& ProcessTable::bucket(const ProcessKey& key) {
    return buckets_[mix(key.start_time_ns ^ mix(key.pid + seed_)) & (buckets_.size() - 1)];
}

ProcessTable::Entry* ProcessTable::find(const ProcessKey& key) {
    for (uint32_t index = bucket(key); index != 0; index = entries_[index].next_in_bucket) {
        Entry& entry = entries_[index];
        if (!(entry.key == key))
            continue;
        if (!entry.has_ended && entry.newer != living) {
            unlink(index);
            append(living, index);
        }
        return &entry;
    }
    return nullptr;
}

ProcessTable::Entry& ProcessTable::insert(const ProcessKey& key) {
    uint32_t index = take_entry();
    Entry& entry = entries_[index];
    uint32_t& head = bucket(key);
    entry.key = key;
    entry.next_in_bucket = head;
    head = index;
    append(living, index);
    ++used_;
    return entry;
}

void ProcessTable::end(Entry& entry, uint64_t time_ns) {
    if (entry.has_ended)
        return;
    auto index = static_cast<uint32_t>(&entry - entries_.data());
    entry.has_ended = true;
    entry.end_time_ns = time_ns;
    unlink(index);
    append(ended, index);
    ++ended_count_;
}

void ProcessTable::expire(uint64_t time_ns, size_t keep) {
    for (uint32_t index = entries_[ended].newer; index != ended; index = entries_[ended].newer) {
        if (ended_count_ <= keep && entries_[index].end_time_ns >= time_ns)
            return;
        remove(index);
    }
}

bool ProcessTable::evict() {
    uint32_t index = entries_[ended].newer;
    if (index == ended) {
        index = entries_[living].newer;
        if (index == living)
            return false;
        ++evicted_;
    }
    remove(index);
    return true;
}

void ProcessTable::limit(size_t capacity) {
    capacity_ = std::clamp<size_t>(capacity, 2, capacity_);
    while (used_ > capacity_)
        evict();
}

uint32_t ProcessTable::take_entry() {
    if (used_ == capacity_)
        evict();
    if (free_ == 0) {
        entries_.emplace_back();
        return static_cast<uint32_t>(entries_.size() - 1);
    }
    uint32_t index = free_;
    free_ = entries_[index].next_in_bucket;
    return index;
}

void ProcessTable::unlink(uint32_t index) {
    Entry& entry = entries_[index];
    entries_[entry.older].newer = entry.newer;
    entries_[entry.newer].older = entry.older;
}

/// As the newest of the list.
void ProcessTable::append(uint32_t list, uint32_t index) {
    Entry& head = entries_[list];
    Entry& entry = entries_[index];
    entry.newer = list;
    entry.older = head.older;
    entries_[head.older].newer = index;
    head.older = index;
}

void ProcessTable::remove(uint32_t index) {
    Entry& entry = entries_[index];
    uint32_t* link = &bucket(entry.key);
    while (*link != index)
        link = &entries_[*link].next_in_bucket;
    *link = entry.next_in_bucket;
    unlink(index);
    ended_count_ -= entry.has_ended;
    entry = Entry{};
    entry.next_in_bucket = free_;
    free_ = index;
    --used_;
}

} // namespace telemetry

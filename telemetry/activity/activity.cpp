// SPDX-License-Identifier: MIT
#include "telemetry/activity/activity.hpp"

#include "telemetry/process/lineage.hpp"

namespace telemetry {

void ProcessLabel::take(const Key& key) {
    id = key.id;
    place = key.place;
    pid = key.pid;
    name.take(key.name);
    user.take(key.user);
    container.take(key.container);
    last = key.last;
    ancestors = key.ancestors ? *key.ancestors : CountedProcess::Ancestors{};
    size_t known = 0;
    for (const LineageNode* at = key.lineage ? key.lineage->parent.get() : nullptr;
         at && known < ancestors.size(); at = at->parent.get())
        ancestors[known++] = mixed(0, at->key.pid);
}

void Activity::count(const CountedEvent& event) {
    const Counts one{.events = event.times, .failed = event.failed ? event.times : 0, .bytes = event.bytes};
    all_ += one;
    executables_.count(event.executable, one);
    users_.count(event.user, one);
    containers_.count(event.container, one);
    calls_.count(event.call, one);
    rules_.count(event.rule, one);
    if (event.process.id != 0)
        processes_.count(event.process, one).label.update(event.process);
}

namespace {

void add_texts(Activity::Texts& to, const Activity::Texts& from) {
    // What was cut has become another text: the same one each time.
    from.for_each([&](const auto& entry) { to.count(entry.label.text(), entry.counts, entry.earlier); });
}

} // namespace

void Activity::add(const Activity& other) {
    all_ += other.all_;
    lost_ += other.lost_;
    add_texts(executables_, other.executables_);
    add_texts(users_, other.users_);
    add_texts(containers_, other.containers_);
    add_texts(calls_, other.calls_);
    other.rules_.for_each(
        [&](const auto& entry) { rules_.count(entry.label.whole(), entry.counts, entry.earlier); });
    other.processes_.for_each([&](const auto& entry) {
        const CountedProcess key = entry.label.key();
        processes_.count(key, entry.counts, entry.earlier).label.update(key);
    });
}

void Activity::clear() {
    all_ = {};
    lost_ = 0;
    executables_.clear();
    users_.clear();
    containers_.clear();
    calls_.clear();
    rules_.clear();
    processes_.clear();
}

} // namespace telemetry

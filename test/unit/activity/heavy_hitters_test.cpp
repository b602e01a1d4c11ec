// SPDX-License-Identifier: MIT
#include "telemetry/activity/activity.hpp"

#include <malloc.h>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "telemetry/activity/rows.hpp"

namespace {

using namespace telemetry;

using Texts = HeavyHitters<TextLabel>;

std::map<std::string, Texts::Entry> all_of(const Texts& table) {
    std::map<std::string, Texts::Entry> entries;
    table.for_each([&](const auto& entry) { entries.emplace(entry.label.text(), entry); });
    return entries;
}

TEST(HeavyHitters, CountsExactlyWhileThereIsRoom) {
    Texts table(64);
    for (int round = 0; round < 3; ++round)
        for (const char* name : {"a", "b", "c"})
            table.count(name, {.events = 1, .failed = name[0] == 'b', .bytes = 10});
    const auto entries = all_of(table);
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries.at("b").counts, (Counts{3, 3, 30}));
    EXPECT_EQ(entries.at("c").counts, (Counts{3, 0, 30}));
    EXPECT_EQ(entries.at("a").earlier, 0u);
}

TEST(HeavyHitters, FindsWhatFloodsAmongAnyNumberOfNames) {
    Texts table(64);
    constexpr uint64_t rounds = 100'000;
    for (uint64_t i = 0; i < rounds; ++i) {
        table.count("/tmp/" + std::to_string(i), {.events = 1, .failed = 0, .bytes = 1}); // each name once
        if (i % 3 == 0)
            table.count("flood", {.events = 1, .failed = 0, .bytes = 1});
    }
    EXPECT_LE(table.size(), 64u);
    const auto entries = all_of(table);
    ASSERT_TRUE(entries.contains("flood"));
    const Texts::Entry& flood = entries.at("flood");
    EXPECT_LE(flood.counts.events, (rounds + 2) / 3); // what is shown is never more than there was
    EXPECT_GE(flood.weight(), (rounds + 2) / 3);
    EXPECT_GE(flood.counts.events, rounds / 4);
    for (const auto& [name, entry] : entries)
        EXPECT_LE(entry.counts.events, name == "flood" ? rounds : 1u) << name;
}

TEST(HeavyHitters, LongTextsStayApartAndShort) {
    Texts table(64);
    const std::string end(300, 'x');
    table.count("/one/" + end, {1, 0, 0});
    table.count("/another/" + end, {1, 0, 0});
    EXPECT_EQ(table.size(), 2u);
    table.for_each([](const auto& entry) { EXPECT_EQ(entry.label.text().size(), TextLabel::longest); });
    table.clear();
    EXPECT_EQ(table.size(), 0u);
    EXPECT_TRUE(all_of(table).empty());
}

CountedEvent event_of(std::string_view executable, uint32_t pid, uint32_t parent,
                      CountedProcess::Ancestors& ancestors) {
    ancestors = {mixed(0, parent)};
    CountedEvent event;
    event.executable = executable;
    event.user = "root";
    event.call = "openat";
    event.rule = {.lines = {7, 7, {}}, .key = "K"};
    event.bytes = 100;
    event.process = {.id = pid,
                     .place = mixed(0, pid),
                     .pid = pid,
                     .name = executable,
                     .last = "openat",
                     .ancestors = &ancestors};
    return event;
}

TEST(Activity, AddsWhatAnotherOneHas) {
    CountedProcess::Ancestors ancestors;
    Activity one, other;
    one.count(event_of("/bin/a", 1, 0, ancestors));
    other.count(event_of("/bin/a", 1, 0, ancestors));
    other.count(event_of("/bin/b", 2, 1, ancestors));
    other.count_lost(4);
    one.add(other);
    EXPECT_EQ(one.all(), (Counts{3, 0, 300}));
    EXPECT_EQ(one.lost(), 4u);
    auto rows = rows_of(one, ActivityTable::executables, "");
    sort_rows(rows, ActivityOrder::events, 10);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].name, "/bin/a");
    EXPECT_EQ(rows[0].counts.events, 2u);
    rows = rows_of(one, ActivityTable::rules, "my.rules");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].name, "my.rules:7 key K");
    rows = rows_of(one, ActivityTable::processes, "");
    sort_rows(rows, ActivityOrder::name, 10);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[1].process->ancestors[0], mixed(0, 1));
    one.clear();
    EXPECT_EQ(one.all(), Counts());
    EXPECT_TRUE(rows_of(one, ActivityTable::calls, "").empty());
}

/// Of a name whose every copy is another and as long as it can be: texts that grow byte by byte would double
/// their memory.
std::string hostile_name(uint64_t i, size_t size) {
    std::string name(size, 'x');
    const std::string digits = std::to_string(i);
    return name.replace(size - digits.size(), digits.size(), digits);
}

size_t heap_in_use() {
    const struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

TEST(Activity, StaysWithinItsMemoryWhateverComes) {
    constexpr uint64_t things = 60'000;
    const size_t before = heap_in_use();
    const auto activity = std::make_unique<Activity>();
    for (const size_t size : {20, 100, 250, 300, 5000}) {
        for (uint64_t i = 0; i < things / 5; ++i) {
            const std::string name = hostile_name(i * 5000 + size, size);
            CountedEvent event;
            event.executable = event.user = event.container = event.call = event.rule.key =
                event.rule.lines.file = name;
            event.process = {.id = mixed(i, size), .name = name, .user = name, .container = name, .last = {}};
            activity->count(event);
        }
    }
    const size_t taken = heap_in_use() - before;
    RecordProperty("bytes", std::to_string(taken));
    EXPECT_EQ(activity->processes().size(), activity->processes().room()) << "all places were taken";
    EXPECT_LE(taken, Activity::most_bytes);
#ifndef EBT_SANITIZED // whose heap mallinfo2 does not see
    EXPECT_GT(taken, Activity::most_bytes / 4 * 3) << "or the bound is no measure";
#endif
}

} // namespace

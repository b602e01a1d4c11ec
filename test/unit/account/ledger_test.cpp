// SPDX-License-Identifier: MIT
#include "telemetry/account/ledger.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "telemetry/output/summary.hpp"

using namespace telemetry;
using ebpf_loader::EngineStats;
using nlohmann::json;

namespace {

Event record(uint64_t sequence, uint16_t cpu = 0, uint16_t slot = 0) {
    Event event;
    event.sequence = sequence;
    event.cpu = cpu;
    event.slot = slot;
    return event;
}

/// Receives and emits.
uint64_t pass(Ledger& ledger, const Event& event) {
    ledger.received(event);
    return ledger.emitted(event);
}

TEST(Ledger, SeesAGap) {
    Ledger ledger;
    EXPECT_EQ(pass(ledger, record(41)), 0u) << "where the numbers begin is not its affair";
    EXPECT_EQ(pass(ledger, record(42)), 0u);
    EXPECT_EQ(pass(ledger, record(45)), 2u);
    EXPECT_EQ(pass(ledger, record(46)), 0u);
    EXPECT_EQ(ledger.gaps(), 2u);
}

TEST(Ledger, SeesAGapBeforeTheFirstRecord) {
    Ledger ledger;
    const uint64_t before[] = {40, 0, 7, 0};
    ledger.begin_behind(before);
    EXPECT_EQ(pass(ledger, record(41, 0, 0)), 0u);
    EXPECT_EQ(pass(ledger, record(3, 0, 1)), 2u);
    EXPECT_EQ(pass(ledger, record(10, 1, 0)), 2u);
    EXPECT_EQ(pass(ledger, record(9, 2, 0)), 0u) << "of another CPU nothing is known";
}

TEST(Ledger, KeepsCpusAndSlotsApart) {
    Ledger ledger;
    for (uint16_t cpu : {0, 300})
        for (uint16_t slot : {0, 1})
            EXPECT_EQ(pass(ledger, record(10u * cpu + slot + 1, cpu, slot)), 0u);
    EXPECT_EQ(pass(ledger, record(3, 0, 0)), 1u);
    EXPECT_EQ(pass(ledger, record(3, 0, 1)), 0u);
    EXPECT_EQ(pass(ledger, record(3005, 300, 1)), 2u);
    EXPECT_EQ(pass(ledger, record(3002, 300, 0)), 0u);
}

TEST(Ledger, CarriesAGapPastWhatIsNotPutOut) {
    Ledger ledger;
    pass(ledger, record(1));
    ledger.received(record(4)); // 2 lost before it, but the rules drop it
    ledger.filtered();
    EXPECT_EQ(pass(ledger, record(6)), 3u);
}

TEST(Ledger, DoesNotCountALateRecordAsLost) {
    Ledger ledger;
    pass(ledger, record(1));
    EXPECT_EQ(pass(ledger, record(3)), 1u);
    EXPECT_EQ(pass(ledger, record(2)), 0u);
    EXPECT_EQ(ledger.gaps(), 0u);
    EXPECT_EQ(pass(ledger, record(4)), 0u);
}

TEST(Ledger, IgnoresSlotsThatDoNotExist) {
    Ledger ledger;
    EXPECT_EQ(pass(ledger, record(1, 65535, 65535)), 0u);
    EXPECT_EQ(pass(ledger, record(9, 65535, 65535)), 0u);
    EXPECT_EQ(ledger.gaps(), 0u);
}

TEST(Ledger, TellsEachLossOnce) {
    Ledger ledger;
    EngineStats stats;
    OutputReport file{"file", "output_file", 0, {}};
    EXPECT_TRUE(ledger.new_losses(stats, {&file, 1}, 1).empty());
    stats.slots.resize(4 * EBT_SLOTS);
    stats.slots[2 * EBT_SLOTS + 1].lost[EBT_LOST_BUFFER_FULL] = 5;
    stats.missed_runs = 2;
    stats.unseen_operations = 3;
    ledger.malformed();
    file.lost = 7;
    auto losses = ledger.new_losses(stats, {&file, 1}, 99);
    ASSERT_EQ(losses.size(), 5u);
    EXPECT_EQ(losses[0].cause, "buffer_full");
    EXPECT_EQ(losses[0].count, 5u);
    EXPECT_EQ(losses[0].time_ns, 99u);
    EXPECT_EQ(losses[0].cpu, 2);
    EXPECT_EQ(losses[1].cpu, -1);
    EXPECT_EQ(losses[1].cause, "missed_run");
    EXPECT_EQ(losses[2].cause, "unseen_operation");
    EXPECT_EQ(losses[2].count, 3u);
    EXPECT_EQ(losses[3].cause, "malformed");
    EXPECT_EQ(losses[4].cause, "output_file");
    EXPECT_EQ(losses[4].count, 7u);
    EXPECT_TRUE(ledger.new_losses(stats, {&file, 1}, 100).empty());
    stats.slots[2 * EBT_SLOTS + 1].lost[EBT_LOST_BUFFER_FULL] = 6;
    losses = ledger.new_losses(stats, {&file, 1}, 101);
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_EQ(losses[0].count, 1u);
}

TEST(Ledger, AddsUpOutputsOfOneCause) {
    Ledger ledger;
    std::vector<OutputReport> files = {{"file a", "output_file", 7, {}}, {"file b", "output_file", 0, {}}};
    auto losses = ledger.new_losses({}, files, 1);
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_EQ(losses[0].count, 7u);
    EXPECT_TRUE(ledger.new_losses({}, files, 2).empty());
    files[1].lost = 2;
    losses = ledger.new_losses({}, files, 3);
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_EQ(losses[0].count, 2u);
}

/// Losses of one slot, as the kernel counts them.
struct SlotOfOne {
    explicit SlotOfOne(Ledger& ledger) : ledger_(ledger) { stats.slots.resize(2 * EBT_SLOTS); }
    std::optional<LossEvent::Gap> tell(uint64_t lost_by_now, uint64_t last_lost) {
        stats.slots[EBT_SLOTS].lost[EBT_LOST_BUFFER_FULL] = lost_by_now;
        stats.slots[EBT_SLOTS].last_lost = last_lost;
        auto losses = ledger_.new_losses(stats, {}, 1);
        EXPECT_EQ(losses.size(), 1u);
        return losses.at(0).gap;
    }
    Ledger& ledger_;
    EngineStats stats;
};

TEST(Ledger, TellsWhereTheGapIs) {
    using Gap = LossEvent::Gap;
    Ledger ledger;
    SlotOfOne slot(ledger);
    pass(ledger, record(1, 1));
    pass(ledger, record(5, 1)); // 2 to 4 lost
    pass(ledger, record(7, 1)); // 6 lost
    EXPECT_EQ(slot.tell(4, 6), (Gap{0, 2, 6}));
    EXPECT_EQ(slot.tell(6, 9), (Gap{0, 8, 9})) << "the kernel knows before a record shows it";
    pass(ledger, record(12, 1)); // 8 to 11, of which 8 and 9 were reported
    EXPECT_EQ(slot.tell(8, 11), (Gap{0, 10, 11}));
    pass(ledger, record(14, 1));
    EXPECT_EQ(slot.tell(9, 0), (Gap{0, 13, 13})) << "a kernel that does not tell the program";
    EXPECT_EQ(slot.tell(10, 0), std::nullopt) << "nothing known of where";
}

TEST(Ledger, GivesNoNumbersToWhatHadNone) {
    Ledger ledger;
    EngineStats stats;
    stats.slots.resize(EBT_SLOTS);
    stats.slots[0].lost[EBT_LOST_SCRATCH_BUSY] = 3;
    pass(ledger, record(1));
    auto losses = ledger.new_losses(stats, {}, 1);
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_EQ(losses[0].cpu, 0);
    EXPECT_EQ(losses[0].gap, std::nullopt);
}

TEST(Ledger, TellsTheGapOfWhatWasShed) {
    Ledger ledger;
    EngineStats stats;
    stats.slots.resize(EBT_SLOTS);
    stats.slots[0].lost[EBT_LOST_MAX_CPU] = 3;
    stats.slots[0].last_lost = 4;
    pass(ledger, record(1));
    pass(ledger, record(5));
    auto losses = ledger.new_losses(stats, {}, 1);
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_EQ(losses[0].cause, "max_cpu");
    EXPECT_EQ(losses[0].count, 3u);
    EXPECT_EQ(losses[0].gap, (LossEvent::Gap{0, 2, 4}));
}

TEST(Summary, TellsOfLimitsThatWereSet) {
    using namespace std::chrono_literals;
    Summary summary;
    EXPECT_EQ(SummaryDocument(summary).text().find("limits:"), std::string::npos);
    json none = json::parse(SummaryDocument(summary).json());
    EXPECT_FALSE(none.contains("max_cpu") || none.contains("max_memory"));
    summary.limits = {.max_cpu = 20,
                      .wall = 10s,
                      .used = 2014ms,
                      .times_shed = 3,
                      .shed = 7500ms,
                      .paused = 40ms,
                      .max_memory = size_t{64} << 20,
                      .resident = size_t{40} << 20,
                      .most_resident = size_t{50} << 20,
                      .times_shrunk = 2};
    const std::string text = SummaryDocument(summary).text();
    EXPECT_NE(
        text.find("limits: CPU 20.1% of 20%; events shed 3 times, for 7500 ms; reader paused for 40 ms\n"),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("limits: memory 40 MiB, at most 50, of 64; caches halved 2 times\n"),
              std::string::npos)
        << text;
    const json all = json::parse(SummaryDocument(summary).json());
    EXPECT_EQ(all["max_cpu"], json::parse(R"({"percent":20,"used_ms":2014,"of_ms":10000,"times_shed":3,
                                               "shed_ms":7500,"paused_ms":40})"));
    EXPECT_EQ(all["max_memory"]["bytes"], 64 << 20);
    EXPECT_EQ(all["max_memory"]["resident"], 40 << 20);
    EXPECT_EQ(all["max_memory"]["most_resident"], 50 << 20);
    EXPECT_EQ(all["max_memory"]["times_shrunk"], 2);
}

/// 10 seen: 2 filtered by the kernel, 1 lost in it, 7 handed over, of which 6 came: 1
/// unreadable, 1 filtered by rules, 4 emitted.
struct Counted {
    Counted() {
        stats.seen = 10;
        stats.filtered = 2;
        stats.lost[EBT_LOST_BUFFER_FULL] = 1;
        stats.emitted = 7;
        for (uint64_t sequence : {1, 2, 3, 4})
            pass(ledger, record(sequence));
        ledger.received(record(5));
        ledger.filtered();
        ledger.malformed();
    }
    Ledger ledger;
    EngineStats stats;
    std::vector<OutputReport> outputs = {{"screen", "output_screen", 0, {}},
                                         {"file", "output_file", 3, "No space left on \"device\"\n"}};
};

TEST(Ledger, BalancesAtTheEnd) {
    Counted counted;
    Summary summary = counted.ledger.summary(counted.stats, counted.outputs, true);
    EXPECT_EQ(summary.filtered_in_kernel, 2u);
    EXPECT_EQ(summary.filtered_by_rules, 1u);
    EXPECT_EQ(summary.emitted, 4u);
    EXPECT_EQ(summary.in_flight, 0u);
    EXPECT_EQ(summary.lost, (std::vector<std::pair<std::string, uint64_t>>{
                                {"buffer_full", 1}, {"malformed", 1}, {"undelivered", 1}}));
    EXPECT_EQ(summary.lost_in_all(), 3u);
    EXPECT_EQ(summary.imbalance(), 0);
    ASSERT_EQ(summary.outputs.size(), 2u);
    EXPECT_EQ(summary.outputs[0].written, 4u);
    EXPECT_EQ(summary.outputs[1].written, 1u);
    EXPECT_EQ(summary.outputs[1].lost, 3u);
}

TEST(Ledger, CountsWhatIsFolded) {
    Counted counted;
    counted.stats.seen = 12;
    counted.stats.emitted = 9;
    for (const uint64_t sequence : {6, 7}) {
        counted.ledger.received(record(sequence));
        counted.ledger.folded();
    }
    const Summary summary = counted.ledger.summary(counted.stats, counted.outputs, true);
    EXPECT_EQ(summary.folded, 2u);
    EXPECT_EQ(summary.emitted, 4u);
    EXPECT_EQ(summary.lost_in_all(), 3u);
    EXPECT_EQ(summary.imbalance(), 0);
    EXPECT_NE(SummaryDocument(summary).text().find("by rules) + 2 folded + 4 emitted + 3 lost"),
              std::string::npos);
    EXPECT_EQ(json::parse(SummaryDocument(summary).json())["folded"], 2);
}

TEST(Ledger, CountsWhatIsOnItsWayWhileRunning) {
    Counted counted;
    counted.stats.seen = 12; // two hooks are at work this moment
    Summary summary = counted.ledger.summary(counted.stats, counted.outputs, false);
    EXPECT_EQ(summary.in_flight, 3u);
    EXPECT_EQ(summary.imbalance(), 0);
    EXPECT_EQ(summary.lost_in_all(), 2u);
}

TEST(Ledger, CountsWhatWasLeftOverAtTheEnd) {
    Counted counted;
    counted.ledger.left_over();
    const auto losses = counted.ledger.new_losses(counted.stats, counted.outputs, 1);
    ASSERT_EQ(losses.size(), 3u);
    EXPECT_EQ(losses[1].cause, "run_end");
    EXPECT_EQ(losses[1].count, 1u);
    const Summary summary = counted.ledger.summary(counted.stats, counted.outputs, true);
    EXPECT_EQ(summary.lost, (std::vector<std::pair<std::string, uint64_t>>{
                                {"buffer_full", 1}, {"malformed", 1}, {"run_end", 1}}));
    EXPECT_EQ(summary.imbalance(), 0);
}

TEST(Ledger, ReportsTampering) {
    Counted counted;
    counted.ledger.new_losses(counted.stats, counted.outputs, 1);
    counted.ledger.tampered();
    counted.ledger.tampered();
    const auto losses = counted.ledger.new_losses(counted.stats, counted.outputs, 2);
    ASSERT_EQ(losses.size(), 1u);
    EXPECT_EQ(losses[0].cause, "tampered");
    EXPECT_EQ(losses[0].count, 2u);
    const Summary summary = counted.ledger.summary(counted.stats, counted.outputs, true);
    EXPECT_EQ(summary.tampered, 2u);
    EXPECT_EQ(summary.imbalance(), 0) << "nobody knows what was missed";
    EXPECT_NE(SummaryDocument(summary).text().find("changed them or their maps 2 times"), std::string::npos);
    EXPECT_EQ(json::parse(SummaryDocument(summary).json())["tampered"], 2);
}

TEST(Ledger, ShowsAnImbalance) {
    Counted counted;
    counted.stats.seen = 11;
    Summary summary = counted.ledger.summary(counted.stats, counted.outputs, true);
    EXPECT_EQ(summary.imbalance(), 1);
    EXPECT_NE(SummaryDocument(summary).text().find("the two sides of this equation differ by 1"),
              std::string::npos);
}

TEST(Ledger, WritesItDownForPeople) {
    Counted counted;
    Summary summary = counted.ledger.summary(counted.stats, counted.outputs, true);
    std::string text = SummaryDocument(summary).text();
    EXPECT_NE(text.find("events: 10 seen = 3 filtered (2 in the kernel, 1 by rules) + 4 emitted + 3 lost "
                        "(buffer_full 1, malformed 1, undelivered 1)\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("output screen: 4 written, 0 lost\n"), std::string::npos) << text;
    EXPECT_NE(text.find("output file: 1 written, 3 lost (No space"), std::string::npos) << text;
    EXPECT_EQ(text.find("hooks:"), std::string::npos);
    summary.missed_runs = 9;
    summary.unseen_operations = 8;
    text = SummaryDocument(summary).text();
    EXPECT_NE(text.find("skipped 9 runs"), std::string::npos);
    EXPECT_NE(text.find("submitted 8 operations"), std::string::npos);
}

TEST(Ledger, WritesItDownForPrograms) {
    Counted counted;
    Summary summary = counted.ledger.summary(counted.stats, counted.outputs, true);
    summary.cache.healed = 6;
    summary.helpers = {{"http", 2}, {"stack", 0}};
    EXPECT_NE(SummaryDocument(summary).text().find("helpers: http failed 2 times\n"), std::string::npos);
    EXPECT_EQ(SummaryDocument(summary).text().find("stack"), std::string::npos) << "it has not failed";
    std::string text = SummaryDocument(summary).json();
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    json object = json::parse(text);
    EXPECT_EQ(object["seen"], 10);
    EXPECT_EQ(object["filtered"], (json{{"kernel", 2}, {"rules", 1}}));
    EXPECT_EQ(object["emitted"], 4);
    EXPECT_EQ(object["lost"], (json{{"buffer_full", 1}, {"malformed", 1}, {"undelivered", 1}}));
    EXPECT_EQ(object["imbalance"], 0);
    EXPECT_EQ(object["outputs"][1]["error"], "No space left on \"device\"\n");
    EXPECT_EQ(object["cache"]["healed"], 6);
    EXPECT_EQ(object["http_helper_failures"], 2);
    EXPECT_EQ(object["stack_helper_failures"], 0);
    EXPECT_EQ(json::parse(SummaryDocument(Summary{}).json())["lost"], json::object());
}

} // namespace

// SPDX-License-Identifier: MIT
// Keys of rules: which one an event has.
#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

std::string key_of(const std::string& text, const Event& event) {
    const Rules rules = parse(text);
    EXPECT_TRUE(rules.matches(event)) << text;
    return std::string(rules.key(event));
}

Event unlink_of(std::string_view path, uint32_t uid = 0) {
    Event event = event_of("unlink");
    event.uid = uid;
    add_path(event, path);
    return event;
}

TEST(RulesKey, OfTheLineThatSelectsTheEvent) {
    EXPECT_EQ(key_of("read key reads", event_of("read")), "reads");
    EXPECT_EQ(key_of("read", event_of("read")), "");
    const std::string two =
        "unlink path ^ /etc/ key etc path ^ /boot/\nunlink key tmp path ^ /tmp/\nunlink uid=7";
    EXPECT_EQ(key_of(two, unlink_of("/etc/x")), "etc");
    EXPECT_EQ(key_of(two, unlink_of("/boot/x")), "etc") << "the key is the line's, wherever it stands";
    EXPECT_EQ(key_of(two, unlink_of("/tmp/x")), "tmp");
    EXPECT_EQ(key_of(two, unlink_of("/usr/x", 7)), "");
}

TEST(RulesKey, TheFirstLineThatHasOneWins) {
    const std::string text = "unlink\nunlink uid=7 key seven\nunlink path ^ /etc/ key etc\nunlink key rest\n";
    EXPECT_EQ(key_of(text, unlink_of("/etc/x", 7)), "seven");
    EXPECT_EQ(key_of(text, unlink_of("/etc/x")), "etc") << "a line without a key hides none";
    EXPECT_EQ(key_of(text, unlink_of("/usr/x")), "rest");
    EXPECT_EQ(key_of("unlink path ^ /a key x\nunlink path ^ /b key y\nunlink key x", unlink_of("/b")), "y");
    EXPECT_EQ(key_of("unlink key z\nunlink path ^ /a key a", unlink_of("/a")), "z") << "not the most precise";
}

TEST(RulesKey, OfAllAndOfProcessEvents) {
    EXPECT_EQ(key_of("all uid=0 key root\nread key r", event_of("read")), "root");
    EXPECT_EQ(key_of("process_exit success=yes key ended", process_event(EBT_ROW_EXIT)), "ended");
    EXPECT_EQ(key_of("1000 key unknown", with([](Event& e) {
                         e.call = nullptr;
                         e.row = parse("1000").compile().plans().begin()->first;
                     })),
              "unknown");
}

/// What could not be read selects an event, and so gives it the key.
TEST(RulesKey, WhatMayMatchHasTheKey) {
    Event event = event_of("unlink");
    event.args[0] = 0x1000;
    add_path(event, "", Status::fault);
    EXPECT_EQ(key_of("unlink path ^ /etc/ key etc", event), "etc");
}

TEST(RulesKey, ChangesNothingOfWhatIsSelected) {
    EXPECT_FALSE(parse("unlink path ^ /etc/ key etc").matches(unlink_of("/tmp/x")));
    EXPECT_FALSE(parse("unlink key a\nnot unlink path ^ /tmp/").matches(unlink_of("/tmp/x")));
    EXPECT_FALSE(parse("unlink key a P").matches([] {
        Event event = unlink_of("/x");
        event.missing = EBT_MISSING_PPID;
        return event;
    }()));
    const uint16_t row = ebpf_loader::row_of(call("read"));
    EXPECT_TRUE(parse("read uid=1 key one").kernel_decides(row));
    EXPECT_EQ(parse("read uid=1 key a uid=2").compile().plans().at(row).predicates, 2);
}

TEST(RulesKey, SpellingsOfTheName) {
    EXPECT_EQ(key_of("read key a_b.c/d-e+f@g:h,i%j~[k]{l}", event_of("read")), "a_b.c/d-e+f@g:h,i%j~[k]{l}");
    EXPECT_EQ(key_of(R"(read key "a \"b\" \\ =")", event_of("read")), R"(a "b" \ =)");
    EXPECT_EQ(key_of("read key PV", event_of("read")), "PV");
    EXPECT_EQ(key_of("read key in", event_of("read")), "in");
    EXPECT_EQ(key_of("read key \\\n  next", event_of("read")), "next");
    EXPECT_EQ(key_of("read key " + std::string(256, 'k'), event_of("read")), std::string(256, 'k'));
}

TEST(RulesKey, AnOperatorMakesItAnArgumentsName) {
    EXPECT_TRUE(wants("shmget key = 5", "shmget", {5}));
    EXPECT_FALSE(wants("shmget key=5", "shmget", {6}));
    EXPECT_EQ(key_of("shmget key = 5 key shm", with([](Event& e) { e.args[0] = 5; }, "shmget")), "shm");
}

/// As many lines as there are watches in large sets of rules, and an event that fits the last.
TEST(RulesKey, ManyKeys) {
    std::string text;
    for (int i = 0; i < 2000; ++i)
        text += "unlink path = /d/" + std::to_string(i) + " key k" + std::to_string(i) + '\n';
    const Rules rules = parse(text);
    EXPECT_EQ(rules.key(unlink_of("/d/1999")), "k1999");
    EXPECT_EQ(rules.key(unlink_of("/d/0")), "k0");
}

/// "FILE:FIRST-LAST key KEY" of the rule that selects the event, without what there is not.
std::string chosen_of(const std::vector<RulesFile>& files, const Event& event) {
    const Rules rules = Rules::parse(files, nullptr, true);
    const auto [lines, key] = rules.chosen(event);
    return std::string(lines.file) + ":" + std::to_string(lines.first) + "-" + std::to_string(lines.last) +
           " " + std::string(key);
}

TEST(RulesKey, AndWhereTheRuleStands) {
    const std::string one = "\nunlink path ^ /etc/ key k\n", other = "\nunlink path ^ /tmp/ key k\n";
    EXPECT_EQ(chosen_of({{"one", one}}, unlink_of("/etc/x")), ":2-2 k");
    EXPECT_EQ(chosen_of({{"one", one}, {"other", other}}, unlink_of("/etc/x")), "one:2-2 k");
    EXPECT_EQ(chosen_of({{"one", one}, {"other", other}}, unlink_of("/tmp/x")), "other:2-2 k")
        << "the same line of another file is another rule";
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "unlink path = /" + std::to_string(i) + "\n";
    EXPECT_EQ(chosen_of({{"one", many}, {"other", other}}, unlink_of("/99")), "one:99-100 ")
        << "neighbours share what tells them, but of one file alone";
    EXPECT_EQ(chosen_of({{"one", many}, {"other", other}}, unlink_of("/tmp/x")), "other:2-2 k");
}

} // namespace

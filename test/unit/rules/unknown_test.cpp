// SPDX-License-Identifier: MIT
// What rules make of events of which something could not be read.
#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

TEST(RulesUnknown, APathThatCouldNotBeReadMayMatch) {
    Event event = with(
        [](Event& e) {
            e.args[0] = 0x1000;
            e.ret = -14;
        },
        "unlink");
    add_path(event, "", Status::fault);
    EXPECT_TRUE(wants("unlink path ^ /etc/", event));
    EXPECT_TRUE(wants("unlink path != /etc/x", event));
    EXPECT_FALSE(wants("unlink path ^ /etc/ V", event));
    EXPECT_TRUE(wants("unlink\nnot unlink path ^ /etc/", event)) << "and is not enough to exclude";
    EXPECT_TRUE(wants("unlink\nnot unlink path != /etc/x", event));
    EXPECT_FALSE(wants("unlink path ^ /etc/ && uid = 5", event)) << "what is known decides";
}

TEST(RulesUnknown, ADescriptorThatWasNotOpenNamesNoPath) {
    Event event = with([](Event& e) { e.ret = -9; });
    add_path(event, "", Status::unavailable);
    EXPECT_FALSE(wants("read path ^ /etc/", event));
    EXPECT_TRUE(wants("read path != /etc/x", event));
    event.ret = 1;
    EXPECT_TRUE(wants("read path ^ /etc/", event)) << "one that was open hides something";
}

TEST(RulesUnknown, ANullPointerNamesNoPath) {
    Event event = with(
        [](Event& e) {
            e.args = {};
            e.ret = -14;
        },
        "unlink");
    add_path(event, "", Status::fault);
    EXPECT_FALSE(wants("unlink path ^ /etc/", event));
    EXPECT_TRUE(wants("unlink V", event)) << "nor did it fail";
}

TEST(RulesUnknown, FieldsThatFellOutOfTheRecordMayMatch) {
    Event event = event_of("unlink");
    EXPECT_FALSE(wants("unlink path ^ /etc/", event));
    event.lost_fields = true;
    EXPECT_TRUE(wants("unlink path ^ /etc/", event));
}

/// unlink("/tmp/../etc/x") where /tmp may be a symbolic link: either spelling selects, none excludes.
TEST(RulesUnknown, APathRewrittenByItsTextAloneDecidesNothingForCertain) {
    Event event = event_of("unlink");
    PathField& path = add_path(event, "/etc/x");
    path.source = Source::user_memory;
    path.lexical = true;
    Witnessed written;
    written.called[0].bytes = "/tmp/../etc/x";
    written.called[0].status = Status::ok;
    event.witnessed = &written;
    EXPECT_TRUE(wants("unlink path ^ /etc", event));
    EXPECT_TRUE(wants("unlink path ^ /tmp", event));
    EXPECT_TRUE(wants("unlink path ^ /usr path ^ /etc", event));
    EXPECT_TRUE(wants("unlink path = /etc/x", event));
    EXPECT_FALSE(wants("unlink path ^ /usr", event));
    EXPECT_TRUE(wants("unlink path != /etc/x", event));
    EXPECT_TRUE(wants("unlink\nnot unlink path ^ /tmp", event)) << "what was written hides nothing";
    EXPECT_TRUE(wants("unlink\nnot unlink path ^ /etc", event));
    path.lexical = false; // rewritten for certain
    EXPECT_TRUE(wants("unlink path ^ /etc", event));
    EXPECT_FALSE(wants("unlink path ^ /tmp", event));
    EXPECT_FALSE(wants("unlink\nnot unlink path ^ /etc", event));
}

TEST(RulesUnknown, OfAPathKnownInPartThatPartCounts) {
    Event event = event_of("unlink");
    PathField& path = add_path(event, "b/passwd");
    path.relative = true; // "?/b/passwd"
    EXPECT_TRUE(wants("unlink path ^ /etc/", event));
    EXPECT_TRUE(wants("unlink path = /etc/b/passwd", event));
    EXPECT_FALSE(wants("unlink path = /etc/b/shadow", event));
    EXPECT_TRUE(wants("unlink path $ passwd", event));
    EXPECT_TRUE(wants("unlink path $ /a/b/passwd", event));
    EXPECT_FALSE(wants("unlink path $ .so", event));
    EXPECT_TRUE(wants("unlink path ~ zz", event));
    EXPECT_TRUE(wants("unlink\nnot unlink path ^ /etc/", event));
    EXPECT_FALSE(wants("unlink\nnot unlink path $ passwd", event));

    path = {};
    event.paths = 0;
    PathField& cut = add_path(event, "/etc/xxxx", Status::truncated);
    cut.source = Source::user_memory;
    EXPECT_TRUE(wants("unlink path ^ /etc/", event));
    EXPECT_FALSE(wants("unlink path ^ /usr/", event));
    EXPECT_TRUE(wants("unlink path ^ /etc/xxxxxxx", event));
    EXPECT_TRUE(wants("unlink path = /etc/xxxxyy", event));
    EXPECT_FALSE(wants("unlink path = /etc/yy", event));
    EXPECT_TRUE(wants("unlink path $ .so", event));
    EXPECT_FALSE(wants("unlink\nnot unlink path ^ /etc/", event));
    EXPECT_TRUE(wants("unlink\nnot unlink path $ .so", event));
}

TEST(RulesUnknown, TheTargetOfASymlinkComparesAsItStands) {
    Event event = event_of("symlink");
    PathField& target = add_path(event, "../passwd");
    target.relative = true;
    ASSERT_EQ(event.call->argument[0].kind, ebpf_loader::ArgKind::path_text);
    EXPECT_FALSE(wants("symlink path ^ /etc/", event));
    EXPECT_TRUE(wants("symlink path ^ ../", event));
}

TEST(RulesUnknown, AnUnknownExecutableMayMatch) {
    Event event = event_of("read");
    event.image.exe.status = Status::unavailable;
    EXPECT_TRUE(wants("read exe ^ /usr/", event));
    EXPECT_TRUE(wants("read\nnot read exe ^ /usr/", event));
    EXPECT_FALSE(wants("read exe ^ /usr/ P", event));
}

// --- P and V

TEST(RulesUnknown, PDropsEventsWhoseStandardFieldsFailed) {
    EXPECT_TRUE(wants("read P", event_of("read")));
    for (const uint32_t bit :
         {EBT_MISSING_ARGS, EBT_MISSING_PPID, EBT_MISSING_CREDENTIALS, EBT_MISSING_AUDIT}) {
        const Event event = with([&](Event& e) { e.missing = bit; });
        EXPECT_FALSE(wants("read P", event)) << bit;
        EXPECT_TRUE(wants("read", event)) << bit;
        EXPECT_TRUE(wants("read V", event)) << bit;
    }
    for (const Status status : {Status::fault, Status::unavailable}) {
        EXPECT_FALSE(wants("read P", with([&](Event& e) { e.image.exe.status = status; })));
        EXPECT_FALSE(wants("read P", with([&](Event& e) { e.cwd.status = status; })));
        EXPECT_FALSE(wants("read P", with([&](Event& e) { e.image.tty.status = status; })));
    }
    EXPECT_TRUE(wants("read P", with([](Event& e) { e.cwd.status = Status::truncated; })));
    EXPECT_TRUE(wants("read P", with([](Event& e) { e.image.tty.status = Status::absent; })));
    EXPECT_TRUE(wants("execve P", with([](Event& e) { e.missing = EBT_MISSING_ARGS; }, "execve")))
        << "a successful exec wipes its registers";
}

TEST(RulesUnknown, VDropsEventsWhoseOwnFieldsFailed) {
    const auto failing = [](const std::function<void(Event&)>& change) {
        Event event = with(change, "openat");
        EXPECT_TRUE(wants("openat", event));
        EXPECT_TRUE(wants("openat P", event));
        return !wants("openat V", event);
    };
    EXPECT_FALSE(failing([](Event&) {}));
    for (const Status status : {Status::fault, Status::unavailable}) {
        EXPECT_TRUE(failing([&](Event& e) { add_path(e, "", status); }));
        EXPECT_TRUE(failing([&](Event& e) {
            e.strings = 1;
            e.string[0].status = status;
        }));
        EXPECT_TRUE(failing([&](Event& e) { e.sockaddr.status = status; }));
        EXPECT_TRUE(failing([&](Event& e) { e.socket_status = status; }));
        EXPECT_TRUE(failing([&](Event& e) { e.exec_argv.status = status; }));
        EXPECT_TRUE(failing([&](Event& e) { e.child_status = status; }));
    }
    EXPECT_FALSE(failing([](Event& e) { add_path(e, "/x", Status::truncated); }));
    EXPECT_FALSE(failing([](Event& e) { e.exec_argv.status = Status::truncated; }));
    EXPECT_FALSE(failing([](Event& e) { e.lost_fields = true; })) << "too long is not failed";
}

TEST(RulesUnknown, PAndVOfAnyLineCountForTheCall) {
    const Event event = with([](Event& e) {
        e.missing = EBT_MISSING_PPID;
        e.args[0] = 3;
    });
    EXPECT_TRUE(wants("read a0=3\nread a0=4", event));
    EXPECT_FALSE(wants("read a0=3\nread a0=4 P", event));
    EXPECT_FALSE(wants("read\nall P", event));
    EXPECT_TRUE(wants("read\nwrite P", event));
}

} // namespace

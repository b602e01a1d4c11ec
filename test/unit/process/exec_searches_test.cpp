// SPDX-License-Identifier: MIT
// Of a search along PATH only the outcome is an event, and no failure is lost that is none of a search.
#include "telemetry/process/exec_searches.hpp"

#include <cerrno>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "test/unit/support/syscall_row.hpp"

namespace {

using namespace telemetry;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Searches : public testing::Test {
  protected:
    /// Paths stand for records. Returns what is an event now, in order; "-" for each attempt that is none.
    std::vector<std::string> exec(uint32_t pid, const std::string& path, int64_t result) {
        Event event = of(pid, path);
        event.ret = result;
        return take(event, path);
    }
    std::vector<std::string> exit(uint32_t pid) {
        Event event = of(pid, "");
        event.kind = EBT_EXIT;
        event.call = nullptr;
        return take(event, "exit");
    }
    std::vector<std::string> take(const Event& event, const std::string& text) {
        if (!searches_.concerns(event))
            return {text};
        const auto step = searches_.take(event, std::as_bytes(std::span(text)), now_);
        std::vector<std::string> events(step.supersedes ? 1 : 0, "-");
        for (const std::string& record : texts(step.failed))
            events.push_back(record);
        if (!step.keeps)
            events.push_back(text);
        return events;
    }
    Event of(uint32_t pid, const std::string& path) {
        Event event;
        event.call = &call("execve");
        event.pid = pid;
        event.start_time_ns = start_time_;
        path_ = path; // of one event at a time
        event.path[0].bytes = path_;
        event.path[0].status = Status::ok;
        event.paths = 1;
        return event;
    }
    static std::vector<std::string> texts(const std::vector<ExecSearches::Record>& records) {
        std::vector<std::string> texts;
        for (const ExecSearches::Record& record : records)
            texts.emplace_back(reinterpret_cast<const char*>(record.data()), record.size());
        return texts;
    }

    ExecSearches searches_;
    ExecSearches::Clock::time_point now_{};
    uint64_t start_time_ = 7;
    std::string path_;
};

TEST_F(Searches, ThatFindAProgramAreTheExecutionAlone) {
    EXPECT_THAT(exec(1, "/a/tool", -ENOENT), IsEmpty());
    EXPECT_THAT(exec(1, "/b/tool", -ENOENT), ElementsAre("-"));
    EXPECT_THAT(exec(1, "/c/tool", 0), ElementsAre("-", "/c/tool"));
    EXPECT_THAT(texts(searches_.all()), IsEmpty());
}

TEST_F(Searches, ThatFindNothingAreTheLastAttempt) {
    exec(1, "/a/tool", -ENOENT);
    exec(1, "/b/tool", -ENOENT);
    EXPECT_THAT(exit(1), ElementsAre("/b/tool", "exit"));
    exec(1, "/a/tool", -ENOENT);
    EXPECT_THAT(exec(1, "/a/other", -ENOENT), ElementsAre("/a/tool")) << "it looks for something else now";
    EXPECT_THAT(exec(1, "/bin/third", 0), ElementsAre("/a/other", "/bin/third"));
}

TEST_F(Searches, GoOnAfterAFileThatMayNotBeExecuted) {
    exec(1, "/a/tool", -ENOENT);
    EXPECT_THAT(exec(1, "/b/tool", -EACCES), ElementsAre("/b/tool"));
    EXPECT_THAT(exec(1, "/c/tool", 0), ElementsAre("-", "/c/tool"));
}

TEST_F(Searches, MayNameADirectoryTwice) {
    EXPECT_THAT(exec(1, "/a/tool", -ENOENT), IsEmpty());
    EXPECT_THAT(exec(1, "/a/tool", -ENOENT), ElementsAre("-"));
    EXPECT_THAT(exec(1, "/b/tool", 0), ElementsAre("-", "/b/tool"));
}

TEST_F(Searches, AreOfOneProcess) {
    exec(1, "/a/tool", -ENOENT);
    EXPECT_THAT(exec(2, "/b/tool", -ENOENT), IsEmpty());
    EXPECT_THAT(exit(3), ElementsAre("exit"));
    start_time_ = 8; // another process has the number now
    EXPECT_THAT(exec(1, "/b/tool", -ENOENT), ElementsAre("/a/tool"));
    EXPECT_THAT(texts(searches_.all()), ElementsAre("/b/tool", "/b/tool"));
}

TEST_F(Searches, LastASecondFromTheirFirstAttempt) {
    exec(1, "/0/tool", -ENOENT);
    for (int i = 1; i <= 9; ++i) {
        now_ += 100ms;
        EXPECT_THAT(texts(searches_.expired(now_)), IsEmpty());
        exec(1, '/' + std::to_string(i) + "/tool", -ENOENT);
    }
    now_ += 100ms;
    EXPECT_THAT(texts(searches_.expired(now_)), ElementsAre("/9/tool"))
        << "who goes on for ever hides nothing";
    EXPECT_THAT(exec(1, "/10/tool", 0), ElementsAre("/10/tool"));
}

TEST_F(Searches, OfWhichTheKernelSaidNothingAreNone) {
    Event event = of(1, "/a/tool");
    event.ret = -ENOENT;
    event.execution = EBT_SKIPPED; // a seccomp filter answered
    EXPECT_THAT(take(event, "skipped"), ElementsAre("skipped"));
    event.execution = 0;
    event.path[0].status = Status::fault;
    EXPECT_THAT(take(event, "unread"), ElementsAre("unread"));
}

TEST_F(Searches, TheFileMayHaveAnotherNameThanTheLink) {
    exec(1, "/a/python", -ENOENT);
    Witnessed witnessed;
    witnessed.called[0].bytes = "/b/python";
    witnessed.called[0].status = Status::ok;
    Event event = of(1, "/b/python3.11");
    event.witnessed = &witnessed;
    EXPECT_THAT(take(event, "found"), ElementsAre("-", "found"));
}

TEST_F(Searches, TheFileIsKnownByWhatItIsCalled) {
    Event event = of(1, "/a/as");
    event.ret = -ENOENT;
    event.exec_argv.bytes = std::string_view("as\0-o\0", 6);
    event.exec_argv.status = Status::ok;
    EXPECT_THAT(take(event, "attempt"), IsEmpty());
    event = of(1, "/usr/bin/x86_64-linux-gnu-as"); // where nothing witnesses what a link leads to
    event.kind = EBT_EXEC;
    event.image.argv.bytes = std::string_view("as\0-o\0", 6);
    event.image.argv.status = Status::ok;
    EXPECT_THAT(take(event, "found"), ElementsAre("-", "found"));
}

TEST_F(Searches, AreBounded) {
    for (uint32_t pid = 1; pid <= ExecSearches::most; ++pid)
        EXPECT_THAT(exec(pid, "/a/" + std::to_string(pid), -ENOENT), IsEmpty());
    EXPECT_THAT(exec(ExecSearches::most + 1, "/a/tool", -ENOENT), ElementsAre("/a/1"));
    searches_.all();
    const std::string large = "/a/" + std::string(ExecSearches::most_bytes / 2, 'x');
    EXPECT_THAT(exec(1, large, -ENOENT), IsEmpty());
    EXPECT_THAT(exec(2, large, -ENOENT), ElementsAre(large));
}

} // namespace

// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

#include <ebpf_loader/error.hpp>

#include "telemetry/sink/syslog.hpp"
#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using testing::HasSubstr;

namespace {

/// Where a syslog daemon would listen.
class FakeLog {
  public:
    explicit FakeLog(const std::string& path) : path_(path) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        socket_ = UniqueFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        unlink(path.c_str());
        if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("bind " + path);
    }
    std::vector<std::string> messages() const {
        std::vector<std::string> all;
        char bytes[65536];
        for (ssize_t count; (count = recv(socket_.get(), bytes, sizeof bytes, 0)) >= 0;)
            all.emplace_back(bytes, static_cast<size_t>(count));
        return all;
    }
    void take_one() const {
        char byte = 0;
        (void)!recv(socket_.get(), &byte, 1, 0);
    }

  private:
    std::string path_;
    UniqueFd socket_;
};

class Syslog : public testing::Test {
  protected:
    Syslog() { options_.socket = folder_.path() + "/log"; }

    const TemporaryFolder folder_;
    SyslogOptions options_;
    const std::string header_ =
        R"(<14>[JFMASOND][a-z]{2} [ 1-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] ebpf-telemetry\[[0-9]+\]: )";
};

} // namespace

TEST_F(Syslog, OneMessageALine) {
    const FakeLog log(options_.socket);
    const auto sink = make_syslog_sink(options_);
    sink->write("first\nsecond \"line\"\n", 2);
    EXPECT_THAT(log.messages(), testing::ElementsAre(testing::MatchesRegex(header_ + "first"),
                                                     testing::MatchesRegex(header_ + "second \"line\"")));
    EXPECT_EQ(sink->lost(), 0U);
    EXPECT_EQ(sink->error(), "");
}

TEST_F(Syslog, LongLinesGoInPartsThatJoinToTheLine) {
    const FakeLog log(options_.socket);
    options_.message_bytes = 500;
    const auto sink = make_syslog_sink(options_);
    std::string line;
    for (int i = 0; i < 200; ++i)
        line += "żółw" + std::to_string(i);
    sink->write("short\n" + line + "\n", 2);
    const auto messages = log.messages();
    ASSERT_GT(messages.size(), 3U);
    std::string joined;
    for (size_t i = 1; i < messages.size(); ++i) {
        EXPECT_LE(messages[i].size(), 500U);
        const std::string mark =
            "]: part=" + std::to_string(i) + "/" + std::to_string(messages.size() - 1) + " line=1 ";
        const size_t at = messages[i].find(mark);
        ASSERT_NE(at, std::string::npos) << messages[i];
        const std::string part = messages[i].substr(at + mark.size());
        EXPECT_NE(static_cast<uint8_t>(part.front()) & 0xc0, 0x80) << "begins inside a character";
        joined += part;
    }
    EXPECT_EQ(joined, line);
    EXPECT_EQ(sink->lost(), 0U);
}

TEST_F(Syslog, ADaemonThatTakesNothingCostsLinesAndNotTime) {
    const FakeLog log(options_.socket);
    options_.patience = 100ms;
    const auto sink = make_syslog_sink(options_);
    const auto begin = Clock::now();
    constexpr uint64_t count = 20000; // far more than a socket's queue holds
    for (uint64_t i = 0; i < count; ++i)
        sink->write("x\n", 1);
    EXPECT_LT(Clock::now() - begin, 3s);
    const uint64_t lost = sink->lost();
    EXPECT_GT(lost, 0U);
    EXPECT_THAT(std::string(sink->error()), HasSubstr("does not keep up"));
    EXPECT_EQ(log.messages().size() + lost, count);
    sink->write("again\n", 1);
    EXPECT_EQ(log.messages().size(), 1U);
    EXPECT_EQ(sink->lost(), lost);
}

/// However many lines it is given at once, and although the daemon goes on.
TEST_F(Syslog, ADaemonThatIsSlowIsWaitedForOnce) {
    const FakeLog log(options_.socket);
    options_.patience = 300ms;
    const auto sink = make_syslog_sink(options_);
    std::string lines;
    constexpr uint64_t count = 1000;
    for (uint64_t i = 0; i < count; ++i)
        lines += "x\n";
    std::jthread daemon([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(50ms);
            log.take_one();
        }
    });
    const auto begin = Clock::now();
    sink->write(lines, count);
    EXPECT_LT(Clock::now() - begin, 2s);
    EXPECT_GT(sink->lost(), count / 2);
}

TEST_F(Syslog, ADaemonThatIsRestartedIsFoundAgain) {
    auto log = std::make_unique<FakeLog>(options_.socket);
    const auto sink = make_syslog_sink(options_);
    log.reset();
    sink->write("into the void\n", 1);
    EXPECT_EQ(sink->lost(), 1U);
    EXPECT_FALSE(sink->broken());
    EXPECT_THAT(std::string(sink->error()), HasSubstr("Connection refused"));
    log = std::make_unique<FakeLog>(options_.socket);
    std::this_thread::sleep_for(1100ms); // it is looked for once a second
    sink->write("back\n", 1);
    EXPECT_EQ(log->messages().size(), 1U);
    EXPECT_EQ(sink->lost(), 1U);
}

TEST_F(Syslog, SaysWhyThereIsNoLog) {
    try {
        make_syslog_sink(options_);
        FAIL() << "no error";
    } catch (const ebpf_loader::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr(options_.socket + ": No such file or directory"));
        EXPECT_THAT(error.what(), HasSubstr("syslog daemon"));
    }
    options_.socket.assign(200, 'x');
    EXPECT_THROW(make_syslog_sink(options_), ebpf_loader::Error);
}

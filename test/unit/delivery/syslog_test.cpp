// SPDX-License-Identifier: MIT
// kind = syslog: the form of messages, and connections that break. A real rsyslog is in test/delivery.
#include <arpa/inet.h>
#include <ebpf_loader/error.hpp>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "telemetry/delivery/output.hpp"
#include "telemetry/delivery/syslog/message.hpp"
#include "test/unit/delivery/refusal.hpp"
#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

namespace {

std::vector<std::string> messages_of(const SyslogForm& form, std::string_view event) {
    std::vector<std::string> messages;
    SyslogWriter(form).write(event, [&](std::string_view message) {
        messages.emplace_back(message);
        return true;
    });
    return messages;
}

const std::string json_line = R"({"@timestamp":"2026-11-27T22:15:18.000123456Z","x":1})";

TEST(SyslogMessage, HasTheFormOfRfc5424AndTheEventsTime) {
    SyslogForm form;
    form.host = "a host\n";
    form.facility = 16;
    EXPECT_THAT(messages_of(form, json_line + "\n"),
                ElementsAre("<134>1 2026-11-27T22:15:18.000123Z a_host_ ebpf-telemetry " +
                            std::to_string(getpid()) + " - - " + json_line));
    form.host.clear();
    EXPECT_THAT(
        messages_of(form, "no JSON\n"),
        ElementsAre(MatchesRegex("<134>1 20[-0-9]+T[0-9:]+\\.[0-9]+Z - ebpf-telemetry [0-9]+ - - no JSON")));
}

TEST(SyslogMessage, HasTheFormOfRfc3164) {
    SyslogForm form;
    form.host = "h";
    form.kind = SyslogForm::Kind::rfc3164;
    EXPECT_THAT(messages_of(form, json_line),
                ElementsAre(MatchesRegex("<14>Nov 2[78] [0-9:]+ h ebpf-telemetry\\[[0-9]+\\]: \\{.*")));
    form.kind = SyslogForm::Kind::local;
    EXPECT_THAT(messages_of(form, json_line),
                ElementsAre(MatchesRegex("<14>Nov 2[78] [0-9:]+ ebpf-telemetry\\[[0-9]+\\]: \\{.*")));
}

TEST(SyslogMessage, EachLineOfAnEventIsOneAndLongOnesGoInParts) {
    SyslogForm form;
    EXPECT_EQ(messages_of(form, "one\ntwo\n\n").size(), 2U);
    form.message_bytes = 500;
    std::string line, whole;
    for (int i = 0; i < 500; ++i)
        line += "\u00e9";
    const auto messages = messages_of(form, line + "\n");
    EXPECT_GT(messages.size(), 2U);
    for (const std::string& message : messages) {
        EXPECT_LE(message.size(), 500U);
        EXPECT_THAT(message, HasSubstr(" - - part="));
        whole += message.substr(message.find(' ', message.find("line=")) + 1);
    }
    EXPECT_EQ(whole, line);
}

std::string syslog_refusal(const std::string& options) {
    return outputs_refusal("[output.s]\nkind = syslog\n" + options);
}

TEST(SyslogConfig, MistakesHaveFileAndLine) {
    EXPECT_THAT(syslog_refusal("server = tls//h\n"),
                HasSubstr("f:3: server is a socket such as /dev/log, or begins with"));
    for (const char* server :
         {"tcp://", "tcp://h:", "tcp://h:0", "tcp://h:65536", "tcp://h:a", "tcp://[::1]514"})
        EXPECT_THAT(syslog_refusal("server = " + std::string(server) + "\n"),
                    HasSubstr("f:3: server has HOST"))
            << server;
    EXPECT_THAT(syslog_refusal("server = tcp://127.0.0.1\nca_file = /a\n"),
                HasSubstr("f:4: ca_file is for TLS"));
    EXPECT_THAT(syslog_refusal("server = tls://127.0.0.1\ncert_file = /a\n"), HasSubstr("go together"));
    EXPECT_THAT(syslog_refusal("rfc = 5424\n"), HasSubstr("f:3: rfc is for servers"));
    EXPECT_THAT(syslog_refusal("server = tcp://127.0.0.1\nrfc = 3195\n"),
                HasSubstr("rfc is one of 5424, 3164"));
    EXPECT_THAT(syslog_refusal("facility = local8\n"), HasSubstr("facility is one of kern, user"));
}

TEST(SyslogConfig, CertificatesThatCannotBeReadEndTheStart) {
    const auto outputs =
        parse_outputs("[output.s]\nkind = syslog\nserver = tls://127.0.0.1\nca_file = /nowhere.pem\n", "f");
    try {
        outputs.at(0).open();
        ADD_FAILURE() << "not refused";
    } catch (const ebpf_loader::Error& error) {
        EXPECT_THAT(error.what(), StartsWith("kind = syslog: ca_file /nowhere.pem cannot be used"));
    }
}

/// A server whose every step the test decides.
struct SyslogTcp : testing::Test {
    SyslogTcp() : listener(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        const int small = 4096;
        setsockopt(listener.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        EXPECT_EQ(listen(listener.get(), 5), 0);
        getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
        output = std::make_unique<DeliveryOutput>(
            parse_outputs("[output.s]\nkind = syslog\nserver = tcp://127.0.0.1:" +
                              std::to_string(ntohs(address.sin_port)) +
                              "\nbatch_time = 20ms\nretry_first = 5ms\nretry_longest = 50ms\n",
                          "f")
                .at(0));
    }
    void put(int count, size_t bytes) {
        for (int i = 0; i < count; ++i)
            output->put(std::to_string(i) + std::string(bytes, 'x') + "\n", false, true);
        output->hand_over();
    }
    UniqueFd accepted() const { return UniqueFd(accept(listener.get(), nullptr, nullptr)); }
    static std::string read_all(int fd, size_t bytes) {
        std::string text(bytes, '\0');
        return recv(fd, text.data(), bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes) ? text : "";
    }
    DeliveryReport report() const { return *output->report().delivery; }

    UniqueFd listener;
    std::unique_ptr<DeliveryOutput> output;
};

TEST_F(SyslogTcp, FramesAreCounted) {
    put(1, 10);
    const UniqueFd connection = accepted();
    const std::string count = read_all(connection.get(), 3);
    ASSERT_THAT(count, MatchesRegex("[0-9][0-9] ")) << "shorter than a hundred bytes";
    EXPECT_THAT(read_all(connection.get(), std::stoul(count)), MatchesRegex("<14>1 .* - - 0xxxxxxxxxx"));
    EXPECT_TRUE(eventually([&] { return report().delivered == 1; })) << output->report().error;
}

TEST_F(SyslogTcp, WhatTheServersKernelHasNotTakenIsNotDelivered) {
    put(200, 5000);
    UniqueFd connection = accepted();
    usleep(200'000);
    EXPECT_EQ(report().delivered, 0U) << "a MB does not fit into the server's buffer";
    connection = {}; // with unread bytes: a reset
    const UniqueFd next = accepted();
    EXPECT_THAT(read_all(next.get(), 5100), HasSubstr(" - - 0xxx")) << "from the beginning";
    std::thread reader([&] {
        char rest[65536];
        while (recv(next.get(), rest, sizeof(rest), 0) > 0)
            ;
    });
    EXPECT_TRUE(eventually([&] { return report().delivered == 200; })) << output->report().error;
    EXPECT_EQ(output->report().lost, 0U);
    output.reset();
    reader.join();
}

TEST_F(SyslogTcp, AServerThatLeavesWithAFullWindowIsLeftAtOnce) {
    put(200, 5000);
    const UniqueFd connection = accepted();
    usleep(100'000);
    shutdown(connection.get(), SHUT_RDWR); // nothing is read, nothing reset
    pollfd next = {listener.get(), POLLIN, 0};
    EXPECT_EQ(poll(&next, 1, 2000), 1) << "it is tried again only after the time-out of 30 s";
}

TEST_F(SyslogTcp, AConnectionThatWasClosedIsNotWrittenTo) {
    put(1, 10);
    UniqueFd connection = accepted();
    ASSERT_TRUE(eventually([&] { return report().delivered == 1; }));
    read_all(connection.get(), 60);
    connection = {};
    put(3, 10);
    const UniqueFd next = accepted();
    EXPECT_TRUE(eventually([&] { return report().delivered == 4; })) << output->report().error;
    EXPECT_THAT(read_all(next.get(), 60), HasSubstr("<14>1 "));
}

TEST(SyslogLocal, MessagesGoToTheSystemsLog) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/log";
    const UniqueFd log(socket(AF_UNIX, SOCK_DGRAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(log.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    DeliveryOutput output(
        parse_outputs("[output.s]\nkind = syslog\nbatch_time = 10ms\nserver = " + path + "\n", "f").at(0));
    output.put("text\n", false, true);
    output.hand_over();
    char message[200] = "";
    ASSERT_GT(recv(log.get(), message, sizeof(message) - 1, 0), 0);
    EXPECT_THAT(message, MatchesRegex("<14>[A-Z].* ebpf-telemetry\\[[0-9]+\\]: text"));
    EXPECT_TRUE(eventually([&] { return output.report().delivery->delivered == 1; }));
}

} // namespace

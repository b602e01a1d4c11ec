// SPDX-License-Identifier: MIT
#include "telemetry/delivery/config.hpp"

#include <ebpf_loader/error.hpp>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "test/unit/delivery/refusal.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string refusal(const std::string& text) {
    return outputs_refusal(text, "outputs.conf");
}

std::string file_with(const std::string& option) {
    return "[output.a]\nkind = file\npath = /tmp/a\n" + option + "\n";
}

TEST(OutputConfig, ReadsOutputs) {
    const auto outputs =
        parse_outputs("# comment\n"
                      "[output.a]\r\n"
                      "  kind=file  \n"
                      "path = /var/log/a b=c.json\n"
                      "\n"
                      "[ output.b-2_x ]\n"
                      "kind = file\npath = /b\nformat = text\nkeys = exec, net\nqueue = 64K\n"
                      "mode = 0640\nowner = root\ngroup = 0\nrotate_size = 100M\nrotate_every = 1d\n"
                      "keep = 3\ncompress = zstd\n",
                      "f");
    ASSERT_EQ(outputs.size(), 2U);
    EXPECT_EQ(outputs[0].name, "a");
    EXPECT_EQ(outputs[0].kind, "file");
    EXPECT_EQ(outputs[0].cause, "output_a");
    EXPECT_EQ(outputs[0].format, &json_format);
    EXPECT_TRUE(outputs[0].keys.empty());
    EXPECT_EQ(outputs[0].queue_bytes, 8U << 20);
    EXPECT_EQ(outputs[1].name, "b-2_x");
    EXPECT_EQ(outputs[1].format, &text_format);
    EXPECT_THAT(outputs[1].keys, ElementsAre("exec", "net"));
    EXPECT_EQ(outputs[1].queue_bytes, 64U << 10);
}

TEST(OutputConfig, MistakesHaveFileLineAndAHint) {
    EXPECT_EQ(refusal(file_with("rotate_sizes = 1M")),
              "outputs.conf:4: an output of kind file has no option \"rotate_sizes\"; did you mean "
              "\"rotate_size\"?");
    EXPECT_EQ(
        refusal("[output.a]\nkind = fiel\n"),
        "outputs.conf:2: kind is one of file, http, kafka, syslog, not \"fiel\"; did you mean \"file\"?");
    EXPECT_EQ(refusal("[outputs.a]\n"),
              "outputs.conf:1: unknown section \"outputs.a\"; outputs are [output.NAME]");
    EXPECT_THAT(refusal("[output.A b]\nkind = file\n"), HasSubstr("outputs.conf:1: an output's name"));
    EXPECT_THAT(refusal("[output.]\nkind = file\n"), HasSubstr("outputs.conf:1: an output's name"));
    EXPECT_THAT(refusal("\n[output.a\n"), HasSubstr("outputs.conf:2: a section is [NAME]"));
    EXPECT_THAT(refusal("kind = file\n"), HasSubstr("outputs.conf:1: an option stands in a section"));
    EXPECT_THAT(refusal("[output.a]\nkind\n"), HasSubstr("outputs.conf:2: a line is"));
    EXPECT_THAT(refusal("[output.a]\npath = /a\n"),
                HasSubstr("outputs.conf:1: [output.a] needs the option kind"));
    EXPECT_THAT(refusal("[output.a]\nkind = file\n"),
                HasSubstr("outputs.conf:1: [output.a] needs the option path"));
    EXPECT_THAT(refusal(file_with("path = /b")), HasSubstr("outputs.conf:4: \"path\" is given twice"));
    EXPECT_THAT(refusal(file_with("") + file_with("")), HasSubstr("two outputs \"a\""));
    EXPECT_THAT(refusal(file_with("\x1b[2J = 1")), HasSubstr("\\x1b"));
}

TEST(OutputConfig, ValuesAreChecked) {
    for (const char* option : {"mode = 0999",
                               "mode = 7777",
                               "mode = rw",
                               "rotate_size = 1",
                               "rotate_size = 1X",
                               "rotate_size = -1",
                               "rotate_size = 99999999999999999999G",
                               "rotate_every = 0",
                               "rotate_every = 1w",
                               "rotate_every = 999999d",
                               "keep = -1",
                               "keep = 1001",
                               "keep = 3x",
                               "compress = bzip2",
                               "owner = no such user",
                               "group = 1x",
                               "queue = 1K",
                               "format = xml",
                               "keys = a,,b",
                               "keys =",
                               "format ="})
        EXPECT_THAT(refusal(file_with(option)), HasSubstr("outputs.conf:4: ")) << option;
    EXPECT_THAT(refusal("[output.a]\nkind = file\npath = events.json\n"), HasSubstr("begins with /"));
}

TEST(OutputConfig, FilesThatOthersMayWriteAreRefused) {
    TemporaryFolder folder;
    const std::string file = folder.path() + "/outputs.conf";
    std::ofstream(file) << file_with("");
    EXPECT_EQ(load_outputs({file}).size(), 1U);
    EXPECT_THROW(load_outputs({file, file}), ebpf_loader::Error) << "the same names";
    ASSERT_EQ(chmod(file.c_str(), 0666), 0);
    EXPECT_THROW(load_outputs({file}), ebpf_loader::Error);
    EXPECT_THROW(load_outputs({folder.path() + "/none"}), ebpf_loader::Error);
    EXPECT_THROW(load_outputs({folder.path()}), ebpf_loader::Error);
}

/// A reload leaves an output as it is whose text is the same.
TEST(OutputConfig, AReplacedTokenIsAnotherOutput) {
    const TemporaryFolder folder;
    const std::string token = folder.path() + "/token";
    const auto written = [&](const char* key) {
        std::ofstream(token + ".new") << key;
        chmod((token + ".new").c_str(), 0600);
        rename((token + ".new").c_str(), token.c_str());
    };
    const auto text = [&] {
        return parse_outputs(
                   "[output.a]\nkind = http\nurl = http://127.0.0.1:1\ndialect = ndjson\ntoken_file = " +
                       token + "\n",
                   "outputs.conf")[0]
            .text;
    };
    written("first");
    const std::string before = text();
    EXPECT_EQ(text(), before);
    written("other");
    EXPECT_NE(text(), before);
}

TEST(OutputConfig, LongFilesAreRefused) {
    TemporaryFolder folder;
    const std::string file = folder.path() + "/outputs.conf";
    std::ofstream(file) << std::string(2 << 20, '#');
    EXPECT_THROW(load_outputs({file}), ebpf_loader::Error);
}

} // namespace

// SPDX-License-Identifier: MIT
#include "telemetry/cli/settings_file.hpp"

#include <filesystem>
#include <fstream>

#include <ebpf_loader/error.hpp>
#include <gmock/gmock.h>

#include "telemetry/cli/options.hpp"
#include "test/unit/support/destinations.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct SettingsFile : testing::Test {
    std::string write(const std::string& name, const std::string& text) const {
        std::string file = folder.path() + "/" + name;
        std::filesystem::create_directories(std::filesystem::path(file).parent_path());
        std::ofstream(file) << text;
        return file;
    }
    Options parse(const std::string& text, std::vector<std::string> more = {}) const {
        const std::string file = write("options.conf", text);
        std::vector<std::string> all = {"ebpf_telemetry", "--settings", file};
        all.insert(all.end(), more.begin(), more.end());
        std::vector<const char*> pointers;
        for (const std::string& argument : all)
            pointers.push_back(argument.c_str());
        return parse_options(static_cast<int>(pointers.size()), pointers.data());
    }
    std::string refusal(const std::string& text) const {
        try {
            parse(text);
        } catch (const ebpf_loader::Error& error) {
            EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
            return error.what();
        }
        ADD_FAILURE() << "not refused: " << text;
        return {};
    }
    TemporaryFolder folder;
};

TEST_F(SettingsFile, HasOptionsByTheirLongNames) {
    const Options options =
        parse("# a comment\n\nformat = json\n  rules = /etc/my.rules\nquiet = yes\n"
              "output = /tmp/a\noutput = /tmp/b\nmax-cpu = 7\nduration = 1.5\nsyslog = no\n");
    EXPECT_EQ(options.format->name, "json");
    EXPECT_EQ(options.rules, "/etc/my.rules");
    EXPECT_THAT(targets(options, file_sink), ElementsAre("/tmp/a", "/tmp/b"));
    EXPECT_EQ(options.max_cpu, 7u);
    EXPECT_EQ(options.duration, 1500ms);
    EXPECT_FALSE(has(options, screen_sink) || has(options, syslog_sink));
}

TEST_F(SettingsFile, CommandLineWins) {
    const Options options =
        parse("format = json\noutput = /tmp/a\nmax-cpu = 7\n", {"-f", "text", "-o", "/tmp/c"});
    EXPECT_EQ(options.format->name, "text");
    EXPECT_THAT(targets(options, file_sink), ElementsAre("/tmp/c"));
    EXPECT_EQ(options.max_cpu, 7u);
}

TEST_F(SettingsFile, RefusesWithFileAndLine) {
    EXPECT_THAT(refusal("quiet = yes\nfromat = json\n"),
                HasSubstr("options.conf:2: there is no option \"fromat\"; did you mean \"format\"?"));
    EXPECT_THAT(refusal("\n\nduration = soon\n"), HasSubstr("options.conf:3: "));
    EXPECT_THAT(refusal("quiet = maybe\n"),
                HasSubstr("options.conf:1: the option quiet is yes or no, not \"maybe\""));
    EXPECT_THAT(refusal("format = json\nformat = text\n"),
                HasSubstr("options.conf:2: \"format\" is given twice"));
    EXPECT_THAT(refusal("check = yes\n"),
                HasSubstr("options.conf:1: the option check is for the command line alone"));
    for (const char* command : {"explain = yes", "verify = /tmp/lines", "spool-dump = /tmp/spool",
                                "settings = none", "print-config = yes"})
        EXPECT_THAT(refusal(command), HasSubstr("is for the command line alone"));
    EXPECT_THAT(refusal("f = json\n"), HasSubstr("options.conf:1: there is no option \"f\""));
    EXPECT_THAT(refusal("format json\n"), HasSubstr("options.conf:1: "));
    EXPECT_THAT(refusal("[run]\nquiet = yes\n"),
                HasSubstr("options.conf:1: unknown section \"run\"; outputs are [output.NAME]"));
    EXPECT_THAT(refusal("quiet = yes\n[output.x]\nkind = file\npath = /x\nformat = jsno\n"),
                HasSubstr("options.conf:5: format is one of"));
    EXPECT_THAT(refusal("[output.x]\nkind = file\npath = /x\nquiet = yes\n"),
                HasSubstr("options.conf:4: an output of kind file has no option \"quiet\""));
    EXPECT_THAT(refusal("[output.x]\nkind = file\npath = /x\n[output.x]\nkind = file\npath = /y\n"),
                HasSubstr("options.conf:4: there are two sections [output.x]"));
}

TEST_F(SettingsFile, HasOutputs) {
    const Options options = parse("max-cpu = 7\n\n[output.a]\nkind = file\npath = /tmp/a\nkeys = x, y\n"
                                  "[output.b]\nkind = file\npath = /tmp/b\nformat = text\n");
    ASSERT_EQ(options.configured.size(), 2u);
    EXPECT_EQ(options.configured[0].name, "a");
    EXPECT_THAT(options.configured[0].keys, ElementsAre("x", "y"));
    EXPECT_EQ(options.configured[1].format->name, "text");
    EXPECT_FALSE(has(options, screen_sink)) << "nothing is printed then, as with --output-config";
    EXPECT_THAT(options.settings, HasSubstr("/options.conf:3\n[output.a]\nkind = file\npath = /tmp/a\n"));
    EXPECT_EQ(parse(options.settings).configured.size(), 2u) << "what is printed says the same";
    const std::string more = write("more.conf", "[output.b]\nkind = file\npath = /tmp/c\n");
    try {
        parse("[output.b]\nkind = file\npath = /tmp/b\n", {"--output-config", more});
        ADD_FAILURE() << "two outputs with one name";
    } catch (const ebpf_loader::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("there are two outputs \"b\""));
    }
}

TEST_F(SettingsFile, SectionsOfLaterFilesReplaceEarlierOnes) {
    namespace po = boost::program_options;
    const std::string first = write("1.conf", "[output.a]\nkind = file\n[output.b]\nkind = http\n"),
                      second = write("2.conf", "[output.a]\npath = /x\n");
    po::variables_map values;
    command_line::Settings settings;
    const auto sections = command_line::add_files({first, second}, {{}, {}}, values, settings);
    ASSERT_EQ(sections.size(), 2u);
    EXPECT_EQ(sections[0].file, second);
    EXPECT_EQ(sections[0].section.name, "output.a");
    ASSERT_EQ(sections[0].section.entries.size(), 1u) << "as a whole";
    EXPECT_EQ(sections[1].section.name, "output.b");
}

TEST_F(SettingsFile, AnybodysIsNotTrusted) {
    const std::string file = write("options.conf", "");
    std::filesystem::permissions(file, std::filesystem::perms::all);
    EXPECT_THAT(refusal("quiet = yes\n"), HasSubstr("anyone may write"));
}

TEST_F(SettingsFile, NoneReadsNone) {
    const char* const arguments[] = {"ebpf_telemetry", "--settings", "none"};
    EXPECT_EQ(parse_options(3, arguments).action, Options::Action::run);
}

TEST_F(SettingsFile, UsualFilesAreInOrder) {
    EXPECT_TRUE(command_line::usual_files(folder.path(), "ebpf-telemetry").empty());
    const std::string b = write("ebpf-telemetry/conf.d/b.conf", ""),
                      a = write("ebpf-telemetry/conf.d/a.conf", "");
    write("ebpf-telemetry/conf.d/c.conf.bak", "");
    EXPECT_THAT(command_line::usual_files(folder.path(), "ebpf-telemetry"), ElementsAre(a, b));
    const std::string main = write("ebpf-telemetry/ebpf-telemetry.conf", "");
    EXPECT_THAT(command_line::usual_files(folder.path(), "ebpf-telemetry"), ElementsAre(main, a, b));
}

TEST_F(SettingsFile, UsualRulesAreThoseOfAFolderThatHasSome) {
    const std::string rules = folder.path() + "/rules.d";
    EXPECT_EQ(command_line::usual_rules(rules), std::nullopt);
    write("rules.d/README", "");
    write("rules.d/.hidden.rules", "");
    EXPECT_EQ(command_line::usual_rules(rules), std::nullopt);
    write("rules.d/50-default.rules", "");
    EXPECT_EQ(command_line::usual_rules(rules), rules);
}

TEST_F(SettingsFile, LaterFilesWin) {
    namespace po = boost::program_options;
    po::options_description options;
    options.add_options()("tier", po::value<std::string>(), "")("quiet", "")("stats", po::value<double>(),
                                                                             "");
    const std::string first = write("1.conf", "tier = tp\nquiet = yes\nstats = 2\n"),
                      second = write("2.conf", "tier = raw_tp\nquiet = no\n");
    po::variables_map values;
    command_line::Settings settings;
    command_line::add_files({first, second}, {options, {}}, values, settings);
    EXPECT_EQ(values["tier"].as<std::string>(), "raw_tp");
    EXPECT_EQ(values["stats"].as<double>(), 2);
    EXPECT_EQ(values.count("quiet"), 0u);
    EXPECT_EQ(command_line::settings_text(options, settings),
              "# " + second + ":1\ntier = raw_tp\nquiet = no\n# " + first + ":3\nstats = 2\n");
}

TEST_F(SettingsFile, PrintsWhatIsInForceAndFromWhere) {
    const Options options = parse("max-cpu = 7\nimds = yes\n", {"-f", "json", "--print-config"});
    EXPECT_EQ(options.action, Options::Action::print_config);
    EXPECT_THAT(options.settings, HasSubstr("# command line\nformat = json\n"));
    EXPECT_THAT(options.settings, HasSubstr("/options.conf:1\nmax-cpu = 7\n"));
    EXPECT_THAT(options.settings, HasSubstr("/options.conf:2\nimds = yes\n"));
    EXPECT_THAT(options.settings, HasSubstr("# quiet = no\n"));
    EXPECT_THAT(parse(options.settings).format->name, "json") << "what is printed says the same";
}

TEST_F(SettingsFile, KnowsWhatDiffersFromBefore) {
    const std::string before = "# a:1\ntier = tp\nrules = x\noutput = 1\noutput = 2\n# quiet = no\n";
    EXPECT_TRUE(command_line::changed_settings(before, "# b:7\n" + before).empty());
    EXPECT_THAT(command_line::changed_settings(before, "rules = y\noutput = 1\nquiet = yes\n"),
                testing::UnorderedElementsAre("tier", "rules", "output", "quiet"));
    const std::string outputs = "tier = tp\n[output.a]\nkind = file\n[output.b]\nkind = file\n";
    EXPECT_THAT(command_line::changed_settings(outputs, "tier = tp\n[output.b]\nkind = http\n"),
                testing::UnorderedElementsAre("[output.a]", "[output.b]"));
}

} // namespace

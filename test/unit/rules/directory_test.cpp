// SPDX-License-Identifier: MIT
// Rules in the files of a directory, which are one set.
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include <ebpf_loader/error.hpp>

#include "test/unit/rules/support.hpp"
#include "test/unit/support/temporary_folder.hpp"

namespace rules_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class RulesDirectory : public testing::Test {
  protected:
    void write(const std::string& name, const std::string& text) const { std::ofstream(at(name)) << text; }
    std::string at(const std::string& name) const { return folder_.path() + '/' + name; }
    Rules load() const { return Rules::load(folder_.path()); }
    std::string key(std::string_view call) const {
        const Rules rules = load();
        return rules.matches(event_of(call)) ? std::string(rules.key(event_of(call))) : "not selected";
    }
    std::string error() const {
        try {
            load();
        } catch (const RuleError& error) {
            return error.what();
        } catch (const ebpf_loader::Error& error) {
            return error.what();
        }
        return "no error";
    }

    TemporaryFolder folder_;
};

TEST_F(RulesDirectory, FilesCountInTheOrderOfTheirNumbers) {
    write("10-a.rules", "read key ten\nwrite key write");
    write("9-b.rules", "read key nine");
    write("100.rules", "read key hundred\n");
    write(".hidden.rules", "no_such_call\n");
    write("9-b.rules.bak", "no_such_call\n");
    std::filesystem::create_directory(at("folder"));
    EXPECT_EQ(key("read"), "nine");
    EXPECT_EQ(key("write"), "write");
    EXPECT_EQ(key("open"), "not selected");
    EXPECT_EQ(load().size(), 4U);
}

TEST_F(RulesDirectory, MistakesHaveTheirFileAndLine) {
    write("1.rules", "\xef\xbb\xbfread\nlet root = uid = 0\n");
    write("2.rules", "# good\nwrite\nopenat sig = 1\n");
    write("3.rules", "");
    write("4.rules", "nonsense\nlet root = uid = 1\nkill $root $roots");
    const std::string all = error();
    EXPECT_THAT(all, StartsWith(at("2.rules") + ":3:8: error: "));
    EXPECT_THAT(all, HasSubstr("\nopenat sig = 1\n       ^"));
    EXPECT_THAT(all, HasSubstr(at("4.rules") + ":1:1: error: "));
    EXPECT_THAT(all, HasSubstr(at("4.rules") + ":2:5: error: $root is defined already, in line 2 of " +
                               at("1.rules")));
    EXPECT_THAT(all, HasSubstr(at("4.rules") + ":3:12: error: unknown macro"));
}

TEST_F(RulesDirectory, MacrosOfEarlierFilesHold) {
    write("1.rules", "let high = sig > 60\nlet low = uid = 0");
    write("2.rules", "kill $low\n");
    EXPECT_TRUE(load().matches(with([](Event& e) { e.uid = 0; }, "kill")));
    EXPECT_FALSE(load().matches(with([](Event& e) { e.uid = 1; }, "kill")));
    write("3.rules", "write\n\nread $high");
    EXPECT_THAT(error(), HasSubstr("3.rules:3:6: error: $high (line 1 of " + at("1.rules") + "): "));
}

TEST_F(RulesDirectory, NoLineGoesOnInTheNextFile) {
    write("1.rules", "read \\");
    write("2.rules", "write");
    EXPECT_THAT(key("read") + key("write"), IsEmpty());
    write("1.rules", "read uid = \"0\nwrite");
    EXPECT_THAT(error(), HasSubstr("1.rules:1:"));
}

TEST_F(RulesDirectory, RulesOfAuditctlAreOneListWhoseFirstDecides) {
    write("10-base.rules", "-b 8192\n");
    write("20-never.rules", "-a never,exit -S read -F uid=5\n");
    write("30-always.rules", "-a always,exit -S read -k seen\n-a always,exit -S write -k written\n");
    write("99-finalize.rules", "-D\n-e 2\n");
    const Rules rules = load();
    EXPECT_TRUE(rules.is_auditctl());
    EXPECT_FALSE(rules.matches(with([](Event& e) { e.uid = 5; })));
    EXPECT_TRUE(rules.matches(event_of("read"))) << "-D deletes nothing: augenrules puts it first";
    EXPECT_EQ(rules.key(event_of("read")), "seen");
    EXPECT_THAT(rules.warnings(), IsEmpty());
    EXPECT_THAT(rules.notes(), ElementsAre(StartsWith(at("10-base.rules") + ":1:1: note: "),
                                           StartsWith(at("99-finalize.rules") + ":1:1: note: \"-D\""),
                                           StartsWith(at("99-finalize.rules") + ":2:1: note: ")));
    write("40-wrong.rules", "\n-a always,exit -S no_such_call\n");
    EXPECT_THAT(error(), StartsWith(at("40-wrong.rules") + ":2:"));
}

TEST_F(RulesDirectory, HasOneLanguage) {
    write("1.rules", "read\n");
    write("2.rules", "# of auditctl's\n-w /etc/passwd -p wa\n");
    EXPECT_THAT(error(), StartsWith(at("2.rules") + ":2:1: error: a rule of auditctl's behind lines"));
}

TEST_F(RulesDirectory, ThatCannotBeReadSaysWhy) {
    EXPECT_THAT(error(),
                HasSubstr(folder_.path() + ": error: cannot read the rules: the directory has no file"));
    write("1.rules", "read\n");
    ASSERT_EQ(mkfifo(at("2.rules").c_str(), 0600), 0);
    EXPECT_THAT(error(), HasSubstr(at("2.rules") + ": error: cannot read the rules: it is no regular file"));
    ASSERT_EQ(chmod(folder_.path().c_str(), 0777), 0);
    EXPECT_THAT(error(), HasSubstr("anyone may write to this directory of rules"));
    ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
    ASSERT_EQ(chmod(at("1.rules").c_str(), 0646), 0);
    EXPECT_THAT(error(), HasSubstr(at("1.rules") + ": anyone may write to this file of rules"));
}

TEST_F(RulesDirectory, IsExplainedWithItsFiles) {
    write("1.rules", "read\n");
    write("2.rules", "write uid = 0\n");
    const std::string text = Rules::explain(read_rules_files(folder_.path()));
    EXPECT_THAT(text, HasSubstr(at("1.rules") + ":1: read\n    read: every one\n"));
    EXPECT_THAT(text, HasSubstr(at("2.rules") + ":1: write uid = 0\n    write: in the kernel uid = 0\n"));
    EXPECT_THAT(text, Not(HasSubstr(":2:")));
}

} // namespace
} // namespace rules_test

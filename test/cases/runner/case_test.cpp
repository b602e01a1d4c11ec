// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/cases/runner/native.hpp"
#include "test/program/running_program.hpp"
#include "test/takes_32_bit.hpp"
#include "test/tiers.hpp"

namespace {

using Words = std::vector<std::string>;

/// Where the expectations are: in a guest of vm-test.sh they stand beside the programs.
std::string cases_folder() {
    const char* const given = getenv("EBT_CASES");
    return given && *given ? given : CASES;
}

/// What NAME.expect says: see README.md.
struct Expectation {
    bool is_here = true; ///< is the case one of this machine?
    std::string rules;
    std::vector<Words> runs, before;
    std::vector<std::string> events, no_events;
};

/// Parts between blanks that stand outside of quotes.
Words words_of(const std::string& text) {
    Words words(1);
    bool quoted = false;
    for (size_t i = 0; i < text.size(); i++) {
        quoted ^= text[i] == '"' && (i == 0 || text[i - 1] != '\\');
        if (text[i] == ' ' && !quoted)
            words.emplace_back();
        else
            words.back() += text[i];
    }
    std::erase(words, "");
    return words;
}

/// Two calls of the expectation may be one here.
void add_rule(std::string& rules, const std::string& rule) {
    if (("\n" + rules).find("\n" + rule + "\n") == rules.npos)
        rules += rule + "\n";
}

Expectation read_expectation(const std::string& name) {
    Expectation expectation;
    std::map<std::string, std::function<void(const std::string&)>> kinds = {
        {"only", [&](const std::string& text) { expectation.is_here = is_this_machine(text); }},
        {"rule", [&](const std::string& text) { add_rule(expectation.rules, native_rule(text)); }},
        {"before", [&](const std::string& text) { expectation.before.push_back(words_of(text)); }},
        {"run", [&](const std::string& text) { expectation.runs.push_back(words_of(text)); }},
        {"event", [&](const std::string& text) { expectation.events.push_back(text); }},
        {"no-event", [&](const std::string& text) { expectation.no_events.push_back(text); }},
        {"#", [](const std::string&) {}},
    };
    for (const std::string& line : lines_of(read_file(cases_folder() + "/" + name + ".expect"))) {
        const size_t blank = line.find(' ');
        const auto kind = kinds.find(line.substr(0, blank));
        if (kind == kinds.end())
            ADD_FAILURE() << name << ".expect: " << line;
        else
            kind->second(blank == line.npos ? "" : line.substr(blank + 1));
    }
    if (expectation.runs.empty())
        expectation.runs.emplace_back();
    return expectation;
}

Words case_names() {
    Words names;
    for (const auto& file : std::filesystem::directory_iterator(cases_folder()))
        if (file.path().extension() == ".expect")
            names.push_back(file.path().stem());
    std::sort(names.begin(), names.end());
    return names;
}

bool is_of_32_bits(const std::string& name) {
    return name.ends_with("32");
}

/// All that this machine can run, by name.
const std::map<std::string, Expectation>& expectations() {
    static const std::map<std::string, Expectation> all = [] {
        std::map<std::string, Expectation> read;
        for (const std::string& name : case_names())
            if (Expectation one = read_expectation(name); one.is_here)
                read.emplace(name, std::move(one));
        return read;
    }();
    return all;
}

/// Are they about a case's own program alone, and so in no other case's way?
bool are_own(const std::string& rules) {
    const std::vector<std::string> lines = lines_of(rules);
    return !lines.empty() && std::ranges::all_of(lines, [](const std::string& line) {
        return line.find(" comm = case_") != line.npos;
    });
}

/// Of the start that the case shares with others: those with the same rules, or all whose rules are their
/// own.
const std::string& rules_of_start(const Expectation& expectation) {
    static const std::string own = [] {
        std::string all;
        for (const auto& [name, one] : expectations())
            all += are_own(one.rules) ? one.rules : "";
        return all;
    }();
    return are_own(expectation.rules) ? own : expectation.rules;
}

/// Does the line have the field? Of a list of names the expectation may have one, of a text that ends in *
/// its beginning.
bool has_field(const std::string& line, const std::string& field) {
    const size_t equals = field.find('=');
    const std::string name = " " + field.substr(0, equals + 1), value = field.substr(equals + 1);
    const size_t begin = line.find(name);
    if (begin == line.npos || value == "*")
        return begin != line.npos;
    const size_t star = value.ends_with("*\"") ? value.size() - 2 : value.size() - 1;
    if (value[star] == '*')
        return line.compare(begin + name.size(), star, value, 0, star) == 0;
    if (line.compare(begin + name.size(), value.size(), value) == 0) {
        const size_t end = begin + name.size() + value.size();
        if (end == line.size() || line[end] == ' ' || line[end] == ',')
            return true;
    }
    const std::string list =
        line.substr(begin + name.size(), line.find(' ', begin + 1) - begin - name.size());
    return (',' + list + ',').find(',' + value + ',') != list.npos;
}

/// Does the kernel have kprobes, which witness what it acts on?
bool has_witness() {
    static const bool has = access("/sys/bus/event_source/devices/kprobe/type", F_OK) == 0;
    return has;
}

bool holds(const std::string& line, const std::string& field) {
    if (field == "witness")
        return has_witness();
    return is_machine(field) ? is_this_machine(field) : has_field(line, native_field(field));
}

/// Of alternatives one is enough.
bool has_event(const std::vector<std::string>& lines, const std::string& event) {
    if (const size_t bar = event.find(" | "); bar != event.npos)
        return has_event(lines, event.substr(0, bar)) || has_event(lines, event.substr(bar + 3));
    const Words fields = words_of(event);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return std::all_of(fields.begin(), fields.end(),
                           [&](const std::string& field) { return holds(line, field); });
    });
}

pid_t start_case(const std::string& name, const Words& arguments) {
    const std::string program = CASE_PROGRAMS "/case_" + name;
    std::vector<char*> pointers = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments)
        pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        execv(program.c_str(), pointers.data());
        _exit(126);
    }
    return child;
}

void run_case(const std::string& name, const Words& arguments) {
    int status = 0;
    waitpid(start_case(name, arguments), &status, 0);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 126) << name << " cannot be run";
}

bool is_pausing(pid_t process) {
#ifdef SYS_pause
    constexpr long pause_call = SYS_pause;
#else
    constexpr long pause_call = SYS_ppoll; // of no descriptors, without end
#endif
    long call = -1;
    std::ifstream("/proc/" + std::to_string(process) + "/syscall") >> call;
    return call == pause_call;
}

/// What runs beside the program; killed at the end.
class Companions {
  public:
    void start(const std::string& name, const std::vector<Words>& runs) {
        for (const Words& run : runs)
            children_.push_back(start_case(name, run));
    }
    /// Waits until they are what they are to be: then they pause.
    void settle() const {
        constexpr int tries = 1000, try_us = 10'000;
        for (const pid_t child : children_) {
            int left = tries;
            while (!is_pausing(child) && --left > 0)
                usleep(try_us);
            EXPECT_GT(left, 0) << "process " << child << " does not pause";
        }
    }
    Companions() = default;
    ~Companions() {
        for (const pid_t child : children_) {
            kill(child, SIGKILL);
            waitpid(child, nullptr, 0);
        }
    }
    Companions(const Companions&) = delete;
    Companions& operator=(const Companions&) = delete;

  private:
    std::vector<pid_t> children_;
};

/// Is the test to run, as far as --gtest_filter says?
bool is_selected(const std::string& tier, const std::string& name) {
    const testing::UnitTest& unit = *testing::UnitTest::GetInstance();
    for (int i = 0; i < unit.total_test_suite_count(); ++i) {
        const testing::TestSuite& suite = *unit.GetTestSuite(i);
        for (int j = 0; suite.name() == "Cases." + tier && j < suite.total_test_count(); ++j)
            if (suite.GetTestInfo(j)->name() == name)
                return suite.GetTestInfo(j)->should_run();
    }
    return false;
}

/// What the program prints of all cases that share a start, which takes longer than they do: seconds on an
/// emulated machine.
class SharedRun {
  public:
    SharedRun(const std::string& tier, const std::string& rules) {
        const TemporaryFolder folder;
        Words arguments = {"--tier", tier, "-c", usable_config()};
        if (!rules.empty()) {
            std::ofstream(folder.path() + "/rules") << rules;
            arguments.insert(arguments.end(), {"-r", folder.path() + "/rules"});
        }
        for (const auto& [name, expectation] : expectations())
            if (rules_of_start(expectation) == rules && is_selected(tier, name) &&
                (!is_of_32_bits(name) || takes_32_bit_calls()))
                expectations_.emplace(name, expectation);
        run(arguments);
    }

    const std::string& problem() const { return problem_; }

    /// All lines but those of the other cases' programs.
    std::vector<std::string> lines_of_case(const std::string& name) const {
        std::vector<std::string> lines;
        for (const std::string& line : lines_)
            if (std::ranges::none_of(expectations_, [&](const auto& other) {
                    return other.first != name && has_field(line, "comm=\"case_" + other.first + "\"");
                }))
                lines.push_back(line);
        return lines;
    }

  private:
    void run(const Words& arguments) {
        Companions companions;
        for (const auto& [name, expectation] : expectations_)
            companions.start(name, expectation.before);
        companions.settle();
        RunningProgram program(arguments);
        if (!program.reports()) {
            problem_ = "it does not start: " + program.err();
            return;
        }
        for (const auto& [name, expectation] : expectations_)
            for (const Words& words : expectation.runs)
                run_case(name, words);
        program.send(SIGTERM);
        if (const int status = program.wait(); status != 0)
            problem_ = "status " + std::to_string(status) + ": " + program.err();
        lines_ = lines_of(program.out());
    }

    std::map<std::string, Expectation> expectations_;
    std::vector<std::string> lines_;
    std::string problem_; ///< empty: none
};

const SharedRun& shared_run(const std::string& tier, const std::string& rules) {
    static std::map<std::pair<std::string, std::string>, SharedRun> runs;
    const auto key = std::make_pair(tier, rules);
    const auto known = runs.find(key);
    return known != runs.end() ? known->second : runs.try_emplace(key, tier, rules).first->second;
}

class CaseTest : public testing::Test {
  public:
    CaseTest(std::string tier, std::string name) : tier_(std::move(tier)), name_(std::move(name)) {}

  private:
    void TestBody() override {
        if (is_of_32_bits(name_) && !takes_32_bit_calls())
            GTEST_SKIP() << no_32_bit_calls;
        const Expectation& expectation = expectations().at(name_);
        const SharedRun& run = shared_run(tier_, rules_of_start(expectation));
        ASSERT_EQ(run.problem(), "");
        compare(expectation, run.lines_of_case(name_));
    }

    void compare(const Expectation& expectation, const std::vector<std::string>& lines) const {
        bool good = true;
        for (const std::string& event : expectation.events) {
            good &= has_event(lines, event);
            EXPECT_TRUE(has_event(lines, event)) << "no event " << event;
        }
        for (const std::string& event : expectation.no_events) {
            good &= !has_event(lines, event);
            EXPECT_FALSE(has_event(lines, event)) << "an event " << event;
        }
        for (const std::string& line : lines)
            if (!good && line.find("case_" + name_) != line.npos)
                std::cerr << line << "\n";
    }

    const std::string tier_, name_;
};

/// Before main: gtest then finds them registered.
const bool registered = [] {
    for (const std::string& tier : tiers_here())
        for (const auto& [name, expectation] : expectations())
            testing::RegisterTest(("Cases." + tier).c_str(), name.c_str(), nullptr, nullptr, __FILE__,
                                  __LINE__, [tier, name = name] { return new CaseTest(tier, name); });
    return true;
}();

} // namespace

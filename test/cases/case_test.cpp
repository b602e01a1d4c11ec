// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "test/imds/tiers_here.hpp"
#include "test/program/running_program.hpp"

namespace {

using Words = std::vector<std::string>;

/// What NAME.expect says: see README.md.
struct Expectation {
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

Expectation read_expectation(const std::string& name) {
    Expectation expectation;
    std::map<std::string, std::function<void(const std::string&)>> kinds = {
        {"rule", [&](const std::string& text) { expectation.rules += text + "\n"; }},
        {"before", [&](const std::string& text) { expectation.before.push_back(words_of(text)); }},
        {"run", [&](const std::string& text) { expectation.runs.push_back(words_of(text)); }},
        {"event", [&](const std::string& text) { expectation.events.push_back(text); }},
        {"no-event", [&](const std::string& text) { expectation.no_events.push_back(text); }},
        {"#", [](const std::string&) {}},
    };
    for (const std::string& line : lines_of(read_file(CASES "/" + name + ".expect"))) {
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

/// Does the line have the field? Of a list of names the expectation may have one, of a text that ends in *
/// its beginning.
bool has_field(const std::string& line, const std::string& field) {
    const size_t equals = field.find('=');
    const std::string name = " " + field.substr(0, equals + 1), value = field.substr(equals + 1);
    const size_t begin = line.find(name);
    if (begin == line.npos || value == "*")
        return begin != line.npos;
    if (value.ends_with("*\""))
        return line.compare(begin + name.size(), value.size() - 2, value, 0, value.size() - 2) == 0;
    if (line.compare(begin + name.size(), value.size(), value) == 0) {
        const size_t end = begin + name.size() + value.size();
        if (end == line.size() || line[end] == ' ' || line[end] == ',')
            return true;
    }
    const std::string list =
        line.substr(begin + name.size(), line.find(' ', begin + 1) - begin - name.size());
    return (',' + list + ',').find(',' + value + ',') != list.npos;
}

/// Of alternatives one is enough.
bool has_event(const std::vector<std::string>& lines, const std::string& event) {
    if (const size_t bar = event.find(" | "); bar != event.npos)
        return has_event(lines, event.substr(0, bar)) || has_event(lines, event.substr(bar + 3));
    const Words fields = words_of(event);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return std::all_of(fields.begin(), fields.end(),
                           [&](const std::string& field) { return has_field(line, field); });
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

/// What runs beside the program; killed at the end.
class Companions {
  public:
    Companions(const std::string& name, const std::vector<Words>& runs) {
        for (const Words& run : runs)
            children_.push_back(start_case(name, run));
        if (!runs.empty())
            usleep(100'000); // until it is what it is to be
    }
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

class CaseTest : public testing::Test {
  public:
    CaseTest(std::string tier, std::string name) : tier_(std::move(tier)), name_(std::move(name)) {}

  private:
    void TestBody() override {
        const Expectation expectation = read_expectation(name_);
        const TemporaryFolder folder;
        const std::string rules = folder.path() + "/rules";
        Words arguments = {"--tier", tier_, "-c", usable_config()};
        if (!expectation.rules.empty()) {
            std::ofstream(rules) << expectation.rules;
            arguments.insert(arguments.end(), {"-r", rules});
        }
        const Companions companions(name_, expectation.before);
        RunningProgram program(arguments);
        ASSERT_TRUE(program.reports()) << program.err();
        for (const Words& run : expectation.runs)
            run_case(name_, run);
        program.send(SIGTERM);
        ASSERT_EQ(program.wait(), 0) << program.err();
        compare(expectation, lines_of(program.out()));
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

Words case_names() {
    Words names;
    for (const auto& file : std::filesystem::directory_iterator(CASES))
        if (file.path().extension() == ".expect")
            names.push_back(file.path().stem());
    std::sort(names.begin(), names.end());
    return names;
}

/// Before main: gtest then finds them registered.
const bool registered = [] {
    for (const std::string& tier : tiers_here())
        for (const std::string& name : case_names())
            testing::RegisterTest(("Cases." + tier).c_str(), name.c_str(), nullptr, nullptr, __FILE__,
                                  __LINE__, [=] { return new CaseTest(tier, name); });
    return true;
}();

} // namespace

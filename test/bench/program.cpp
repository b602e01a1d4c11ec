// SPDX-License-Identifier: MIT
// ebpf_telemetry as users run it.
#include "test/bench/tool.hpp"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr milliseconds patience{20'000};

std::string slurp(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The number that the expression's group stands for; throws when it is not there.
uint64_t number(const std::string& text, const std::string& expression) {
    std::smatch match;
    if (!std::regex_search(text, match, std::regex(expression)))
        throw std::runtime_error("no summary at its end");
    return std::stoull(match[1]);
}

using Counts = std::map<std::string, uint64_t>;

/// events: N seen = N filtered (...) + N emitted + N lost (CAUSE N, CAUSE N)
void read_text_summary(const std::string& text, Counts& counts) {
    counts["seen"] = number(text, R"(events: (\d+) seen)");
    counts["filtered"] = number(text, R"((\d+) filtered)");
    counts["emitted"] = number(text, R"((\d+) emitted)");
    std::smatch match;
    if (!std::regex_search(text, match, std::regex(R"(lost \(([^)]*)\))")))
        return;
    const std::string causes = match[1];
    const std::regex cause(R"((\w+) (\d+))");
    for (std::sregex_iterator it(causes.begin(), causes.end(), cause), end; it != end; ++it)
        counts["lost." + std::string((*it)[1])] = std::stoull((*it)[2]);
}

void read_json_summary(const std::string& line, Counts& counts) {
    const auto summary = nlohmann::json::parse(line);
    const auto& filtered = summary.at("filtered");
    counts["seen"] = summary.at("seen");
    counts["filtered"] = filtered.at("kernel").get<uint64_t>() + filtered.at("rules").get<uint64_t>();
    counts["emitted"] = summary.at("emitted");
    for (const auto& [cause, count] : summary.at("lost").items())
        counts["lost." + cause] = count;
    counts["missed_runs"] = summary.at("missed_runs");
}

class Program : public Tool {
  public:
    using Tool::Tool;

  private:
    void collect(Outcome& outcome) override {
        if (plan_.output_is_stdout)
            read_syslog(outcome.counts);
        else if (!plan_.marker.empty())
            Tool::collect(outcome);
        const std::string said = slurp(errors());
        const size_t json = said.rfind("\n{\"seen\"");
        if (json == std::string::npos)
            read_text_summary(said, outcome.counts);
        else
            read_json_summary(said.substr(json + 1), outcome.counts);
        outcome.counts["start_us"] = start_us_;
    }

    void wait_until_it_watches() override {
        const auto start = std::chrono::steady_clock::now();
        while (slurp(errors()).find("reporting") == std::string::npos) {
            if (!process_->is_running())
                throw std::runtime_error("it ended: " + slurp(errors()));
            if (std::chrono::steady_clock::now() > start + patience)
                throw std::runtime_error("it does not start");
            std::this_thread::sleep_for(milliseconds(1));
        }
        start_us_ = static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start)
                .count());
    }

    /// What the false log says, which ends a little later.
    void read_syslog(Counts& counts) const {
        for (int i = 0; i < 500 && slurp(plan_.output).find("marked") == std::string::npos; i++)
            std::this_thread::sleep_for(milliseconds(10));
        const std::string said = slurp(plan_.output);
        counts["lines"] = number(said, R"((\d+) messages)");
        counts["delivered"] = number(said, R"((\d+) marked)");
    }

    uint64_t start_us_ = 0;
};

struct Output {
    std::string about;
    Command options;
};

/// For the name of an output; `file` is where events go when they go to one.
Output output_options(const std::string& name, const std::string& file) {
    if (name == "text")
        return {"text to a file", {"-f", "text", "-o", file}};
    if (name == "json")
        return {"JSON to a file", {"-f", "json", "-o", file}};
    if (name == "syslog")
        return {"text to a system log that throws it away", {"-s", "-q"}};
    if (name == "null")
        return {"JSON to /dev/null", {"-f", "json", "-o", "/dev/null"}};
    throw std::logic_error("no such output: " + name);
}

} // namespace

Candidate program(const Settings& settings, const std::string& name, bool built_in_rules) {
    const std::string file = settings.scratch + "/ebpf_telemetry.out";
    const std::string marker = settings.scratch + "/storm";
    const Output output = output_options(name, file);
    ToolPlan plan{.command = {settings.program},
                  .output = file,
                  .output_is_stdout = name == "syslog",
                  .shows_it_runs = "",
                  .marker = name == "null" ? "" : marker};
    if (name == "syslog")
        plan.command = {settings.tools + "/bench_subject", "syslog", marker, settings.program};
    plan.command.insert(plan.command.end(), output.options.begin(), output.options.end());
    if (!built_in_rules)
        plan.command.insert(plan.command.end(), {"-r", settings.rules()});
    return {.name = "program " + name,
            .about = "ebpf_telemetry in its best tier, " + output.about,
            .group = Group::program,
            .absent = "",
            .make = [&settings, plan] { return std::make_unique<Program>(settings, plan); }};
}

} // namespace bench

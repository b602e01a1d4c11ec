// SPDX-License-Identifier: MIT
// What bench_subject serves: the floors and our engine.
#include "test/bench/subjects.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace bench {
namespace {

constexpr milliseconds patience{30'000}; ///< loading may take long where verifiers are slow

class Helper : public Subject {
  public:
    explicit Helper(const Command& command)
        : process_(command, {.dialogue = true, .output = "", .errors = ""}) {
        expect("ready");
    }
    void on() override {
        process_.say("on");
        expect("on");
        cpu_before_ = cpu_ns(process_.pid());
    }
    uint64_t resident() const override { return resident_memory(process_.pid()); }
    Outcome off() override {
        process_.say("off");
        const auto counts =
            nlohmann::json::parse(process_.hear(patience)).get<std::map<std::string, uint64_t>>();
        Outcome outcome;
        outcome.cpu_ns = cpu_ns(process_.pid()) - cpu_before_;
        outcome.peak_memory = peak_memory(process_.pid());
        for (const auto& [name, count] : counts)
            outcome.counts[name] = count - before_[name];
        before_ = counts;
        if (outcome.has("records"))
            outcome.counts["delivered"] = outcome.get("records");
        return outcome;
    }

  private:
    void expect(const std::string& answer) {
        if (const std::string line = process_.hear(patience); line != answer)
            throw std::runtime_error("expected \"" + answer + "\", got \"" + line + "\"");
    }

    Process process_;
    std::map<std::string, uint64_t> before_;
    uint64_t cpu_before_ = 0;
};

} // namespace

uint64_t Outcome::lost() const {
    uint64_t sum = 0;
    for (const auto& [name, count] : counts)
        if (name.starts_with("lost."))
            sum += count;
    return sum;
}

std::unique_ptr<Subject> make_helper(const Settings& settings, Command words) {
    words.insert(words.begin(), settings.tools + "/bench_subject");
    return std::make_unique<Helper>(words);
}

Candidate nothing() {
    return {.name = "nothing",
            .about = "nothing against nothing: what the machine's noise makes of no difference",
            .group = Group::control,
            .absent = "",
            .make = [] { return std::make_unique<Subject>(); }};
}

std::vector<Candidate> floors(const Settings& settings) {
    const auto floor = [&](const std::string& name, const std::string& about) {
        return Candidate{.name = "floor " + name,
                         .about = about,
                         .group = Group::floor,
                         .absent = "",
                         .make = [&settings, name] {
                             return make_helper(settings, {"floor", name});
                         }};
    };
    return {
        floor("empty", "an empty program on the raw tracepoint sys_exit"),
        floor("empty_tp", "an empty program on the classic tracepoint sys_exit"),
        floor("bitmap", "reads the call's number on sys_exit and looks whether it is selected"),
        floor("record_ring", "sends a fixed 200 bytes of each selected call to a ring buffer"),
        floor("record_perf", "the same to perf buffers"),
    };
}

std::vector<Candidate> engines(const Settings& settings) {
    std::vector<Candidate> all;
    for (const std::string tier : {"raw_tp", "raw_tp_noloops", "raw_tp_sub4096", "tp"})
        all.push_back({.name = tier,
                       .about = "our engine in the tier " + tier + ", its records counted and thrown away",
                       .group = Group::engine,
                       .absent = "",
                       .make = [&settings, tier] {
                           return make_helper(settings, {"engine", settings.rules(), tier});
                       }});
    return all;
}

} // namespace bench

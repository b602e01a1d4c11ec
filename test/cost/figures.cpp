// SPDX-License-Identifier: MIT
// Figures of cost that are the same wherever they are taken, as JSON; guard.py compares them.
//   cost_figures objects             instructions and helper calls of each eBPF program
//   cost_figures lines               bytes of each sample's line in each format
//   cost_figures stages              how far samples can be taken
//   cost_figures take STAGE ROUNDS   takes the samples that far, so often: to be counted by valgrind
//   cost_figures parse ROUNDS        reads the built-in rules, so often: likewise
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "telemetry/activity/event_counter.hpp"
#include "telemetry/event/decoder.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/process/cache.hpp"
#include "telemetry/rules/rules.hpp"
#include "test/cost/samples.hpp"
#include "test/object/object_file.hpp"

namespace {

using namespace telemetry;
using nlohmann::json;

FormatContext context() {
    FormatContext context;
    context.node = "web1";
    context.tier = "raw_tp";
    context.boot_id = "6a3d3e1c-0e0b-4c6c-9d56-8a54c3a7f001";
    context.boot_time_ns = 1'763'700'000'000'000'000;
    context.host = {
        "0123456789abcdef0123456789abcdef", "x86_64", "6.1.0-50-amd64", "Debian GNU/Linux",     "12",
        "Debian GNU/Linux 12 (bookworm)",   "debian", "debian",         {"10.0.0.7", "fe80::1"}};
    context.agent = {"ebpf_telemetry", "1.2.0", "0d6c6f0e-6d0c-5c2e-9d3b-0b6b0c8a9f10",
                     "7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1"};
    return context;
}

long helper_calls(const object_test::Program& program) {
    return std::count_if(program.instructions.begin(), program.instructions.end(), [](const bpf_insn& insn) {
        return insn.code == (BPF_JMP | BPF_CALL) && insn.src_reg == 0;
    });
}

/// What a program costs at most once: the loader only takes instructions away.
json objects() {
    json all;
    std::istringstream paths(OBJECTS);
    for (std::string path; std::getline(paths, path, ':');) {
        const std::string tier = path.substr(path.rfind("_kern_") + 6);
        const object_test::ObjectFile object(path);
        for (const auto& program : object.programs())
            all[tier.substr(0, tier.size() - 2)][program.name] = {
                {"instructions", program.instructions.size()}, {"helper_calls", helper_calls(program)}};
    }
    return all;
}

json lines() {
    json all;
    for (const Format* format : formats()) {
        Decoder decoder;
        ProcessCache cache;
        const auto formatter = format->make(context());
        for (const auto& sample : cost_test::samples()) {
            Event event;
            if (!decoder.decode(sample.bytes, event) || event.lost_fields)
                throw std::runtime_error(sample.name + ": is no good record any more");
            cache.enrich(event);
            std::string out;
            formatter->format(event, out);
            all[std::string(format->name)][sample.name] = out.size();
        }
    }
    return all;
}

/// Stages follow each other as they do in the program; a format's name stands for the last, "activity" for
/// text and what --summary counts of it. "key" is the filter, and the keys of the events that it wants.
void take(const std::string& stage, long rounds) {
    const auto samples = cost_test::samples();
    Decoder decoder;
    ProcessCache cache;
    const bool counts = stage == "activity", keys = stage == "key";
    const Rules rules = Rules::parse(Rules::built_in(), "built-in", nullptr, counts);
    const bool enriches = stage != "decode", filters = enriches && stage != "enrich",
               formats = filters && stage != "filter" && !keys;
    const auto formatter = format_named(counts ? "text" : formats ? stage : "json").make(context());
    EventCounter counter(nullptr);
    const auto activity = std::make_unique<Activity>();
    std::string out;
    size_t kept = 0;
    for (long round = 0; round < rounds; ++round) {
        for (const auto& sample : samples) {
            Event event;
            kept += decoder.decode(sample.bytes, event);
            if (enriches)
                cache.enrich(event);
            const bool is_wanted = filters && rules.matches(event);
            kept += is_wanted;
            if (keys && is_wanted)
                kept += rules.key(event).size();
            if (formats)
                formatter->format(event, out);
            if (counts)
                counter.count(event, rules.chosen(event), 100, *activity);
        }
        out.clear();
    }
    printf("%zu\n", kept);
}

void parse(long rounds) {
    size_t lines = 0;
    for (long round = 0; round < rounds; ++round)
        lines += Rules::parse(Rules::built_in(), "built-in").size();
    printf("%zu\n", lines);
}

json stages() {
    json names = {"decode", "enrich", "filter", "key", "activity"};
    for (const Format* format : formats())
        names.push_back(format->name);
    return {{"stages", names}, {"samples", cost_test::samples().size()}};
}

} // namespace

int main(int argc, char** argv) try {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "objects")
        printf("%s\n", objects().dump().c_str());
    else if (what == "lines")
        printf("%s\n", lines().dump().c_str());
    else if (what == "stages")
        printf("%s\n", stages().dump().c_str());
    else if (what == "take" && argc == 4)
        take(argv[2], std::atol(argv[3]));
    else if (what == "parse" && argc == 3)
        parse(std::atol(argv[2]));
    else
        throw std::runtime_error(
            "usage: cost_figures objects | lines | stages | take STAGE ROUNDS | parse ROUNDS");
    return 0;
} catch (const std::exception& error) {
    fprintf(stderr, "cost_figures: %s\n", error.what());
    return 1;
}

// SPDX-License-Identifier: MIT
// What user space does with records, on one CPU and without a kernel: from bytes that
// `bench_subject record` wrote, named in EBT_BENCH_RECORDS. Without it there are none to run.
#include <benchmark/benchmark.h>

#include <ebpf_loader/abi/record.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "telemetry/event/decoder.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/process/cache.hpp"
#include "telemetry/rules/rules.hpp"
#include "test/event_name.hpp"

namespace {

using namespace telemetry;

using Records = std::vector<std::span<const std::byte>>;

std::vector<char> slurp(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error(std::string("cannot read ") + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Each tells its own length.
Records split(std::span<const char> bytes) {
    Records records;
    for (std::span<const std::byte> rest = std::as_bytes(bytes); rest.size() >= sizeof(ebt_header);) {
        uint32_t size = 0;
        std::memcpy(&size, rest.data() + offsetof(ebt_header, size), sizeof(size));
        if (size < sizeof(ebt_header) || size > rest.size())
            throw std::runtime_error("the recording is damaged");
        records.push_back(rest.first(size));
        rest = rest.subspan(size);
    }
    return records;
}

constexpr size_t most_records = 4096, least_records = 16; // of a group

/// By what they are about; what is alike need not be there a million times.
std::map<std::string, Records> grouped(const Records& records) {
    Decoder decoder;
    Event event;
    std::map<std::string, Records> groups;
    for (const auto& record : records)
        if (decoder.decode(record, event))
            if (Records& group = groups[std::string(event_name(event))]; group.size() < most_records)
                group.push_back(record);
    std::erase_if(groups, [](const auto& group) { return group.second.size() < least_records; });
    return groups;
}

/// How far records are taken.
enum class Stage { decode, complete, filter, brief, text, json, compact, audit, all };
constexpr std::pair<Stage, const char*> stages[] = {
    {Stage::decode, "decode"},   {Stage::complete, "complete"}, {Stage::filter, "filter"},
    {Stage::brief, "brief"},     {Stage::text, "text"},         {Stage::json, "json"},
    {Stage::compact, "compact"}, {Stage::audit, "audit"},       {Stage::all, "all"}};

const Format& format_of(Stage stage) {
    switch (stage) {
    case Stage::brief:
        return brief_format;
    case Stage::text:
        return text_format;
    case Stage::audit:
        return audit_format;
    default:
        return json_format;
    }
}

FormatContext context_of(Stage stage) {
    FormatContext context{.node = "node", .tier = "raw_tp", .boot_id = "", .boot_time_ns = 0};
    if (stage == Stage::compact)
        context.fields = choose_fields("compact");
    return context;
}

/// What the program has for its events.
class Pipeline {
  public:
    explicit Pipeline(Stage stage)
        : stage_(stage), formatter_(format_of(stage).make(context_of(stage))),
          rules_(Rules::parse(Rules::built_in(), "built-in")) {}

    void take(std::span<const std::byte> record, std::string& out) {
        if (!decoder_.decode(record, event_))
            return;
        if (stage_ == Stage::decode)
            return benchmark::DoNotOptimize(event_);
        cache_.enrich(event_);
        if (stage_ == Stage::complete)
            return benchmark::DoNotOptimize(event_);
        if (stage_ == Stage::filter || stage_ == Stage::all) {
            bool wanted = rules_.matches(event_);
            benchmark::DoNotOptimize(wanted);
        }
        if (stage_ != Stage::filter)
            formatter_->format(event_, out);
    }

  private:
    Stage stage_;
    Decoder decoder_;
    ProcessCache cache_;
    std::unique_ptr<Formatter> formatter_;
    Rules rules_;
    Event event_;
};

void take_records(benchmark::State& state, Stage stage, const Records& records) {
    constexpr size_t write_size = 64 << 10;
    Pipeline pipeline(stage);
    std::string out;
    size_t bytes = 0, written = 0, taken = 0, at = 0;
    for (auto _ : state) {
        const auto& record = records[at];
        pipeline.take(record, out);
        bytes += record.size();
        taken++;
        if (++at == records.size())
            at = 0;
        if (out.size() > write_size) {
            written += out.size();
            out.clear();
        }
    }
    state.SetItemsProcessed(static_cast<int64_t>(taken));
    state.SetBytesProcessed(static_cast<int64_t>(bytes));
    state.counters["bytes_out"] =
        benchmark::Counter(static_cast<double>(written + out.size()), benchmark::Counter::kIsRate);
}

} // namespace

int main(int argc, char** argv) try {
    benchmark::Initialize(&argc, argv);
    std::vector<char> bytes;
    std::map<std::string, Records> groups;
    if (const char* path = std::getenv("EBT_BENCH_RECORDS")) {
        bytes = slurp(path);
        groups = grouped(split(bytes));
    }
    for (const auto& [group, records] : groups)
        for (const auto& [stage, name] : stages)
            benchmark::RegisterBenchmark((group + "/" + name).c_str(), take_records, stage, records);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
} catch (const std::exception& error) {
    fprintf(stderr, "bench_user_side: %s\n", error.what());
    return 1;
}

// SPDX-License-Identifier: MIT
// What must hold for any records: of the events that the decoder makes of them, of the images that the cache
// lends these, and of the lines that formatters write. Run by the fuzzers, and by the unit tests over the
// corpus. An input is a sequence of records, each after its length in two bytes.
#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "telemetry/event/decoder.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/process/cache.hpp"
#include "test/unit/support/audit_records.hpp"

namespace record_fuzz {

using namespace telemetry;

[[noreturn]] inline void broken(const char* what, std::string_view text = {}) {
    std::fprintf(stderr, "broken: %s\n%.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

/// Reads what the event refers to, so that the sanitizers see it.
inline void touch(std::string_view bytes) {
    volatile unsigned char sink = 0;
    for (const char c : bytes)
        sink = sink ^ static_cast<unsigned char>(c);
}

inline void touch(const Event& event) {
    for (const std::string_view text :
         {event.comm, event.image.exe.bytes, event.image.tty.bytes, event.image.argv.bytes, event.cwd.bytes,
          event.root.bytes, event.exec_argv.bytes, event.sockaddr.bytes})
        touch(text);
    if (event.paths > event.path.size() || event.strings > event.string.size())
        broken("more paths or strings than there is room for");
    for (size_t i = 0; i < event.paths; i++)
        touch(event.path[i].bytes);
    for (size_t i = 0; i < event.strings; i++)
        touch(event.string[i].bytes);
}

/// Makes the header of a record acceptable; the rest of it stays as the fuzzer has it.
inline void repair(std::vector<std::byte>& record) {
    ebt_header header;
    record.resize(std::max(record.size() / 8 * 8, sizeof header));
    std::memcpy(&header, record.data(), sizeof header);
    header.size = static_cast<uint32_t>(record.size());
    header.version = EBT_RECORD_VERSION;
    if (header.kind < EBT_SYSCALL || header.kind > EBT_TRANSFER)
        header.kind = static_cast<uint8_t>(EBT_SYSCALL + header.kind % EBT_TRANSFER);
    header.abi %= EBT_ABIS;
    // Rows that exist, so that there are calls with paths and strings.
    header.row =
        static_cast<uint16_t>(header.row % (EBT_FIRST_SYSCALL_ROW + ebpf_loader::syscall_rows().size()));
    // Few processes, so that they meet again in the cache.
    header.tgid %= 16;
    header.start_time %= 4;
    header.exec_id %= 4;
    std::memcpy(record.data(), &header, sizeof header);
}

/// The next record of an input, in memory of its own; of odd length: with a header that is acceptable.
inline std::vector<std::byte> next_record(std::string_view& input) {
    const size_t length = static_cast<uint8_t>(input[0]) | static_cast<size_t>(static_cast<uint8_t>(input[1]))
                                                               << 8;
    input.remove_prefix(2);
    const auto* const bytes = reinterpret_cast<const std::byte*>(input.data());
    std::vector<std::byte> record(bytes, bytes + std::min(length, input.size()));
    input.remove_prefix(record.size());
    if (length % 2 != 0)
        repair(record);
    return record;
}

template <typename Take> void for_each_event(std::string_view input, const Take& take) {
    Decoder decoder;
    // /dev/null is no folder: nothing heals from the machine's own processes.
    ProcessCache cache({.processes = 8, .image_bytes = 1 << 20}, Procfs("/dev/null"));
    Event event;
    while (input.size() >= 2) {
        const std::vector<std::byte> record = next_record(input);
        if (!decoder.decode(record, event))
            continue;
        cache.enrich(event);
        take(event);
    }
}

inline void fuzz_records(std::string_view input) {
    for_each_event(input, [](const Event& event) { touch(event); });
}

inline void check_line(std::string_view line, bool is_json) {
    if (line.empty() || line.back() != '\n' || line.find('\n') != line.size() - 1)
        broken("an event is not a line", line);
    for (const char c : line.substr(0, line.size() - 1))
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            broken("a control byte in a line", line);
    if (is_json && !nlohmann::json::accept(line))
        broken("a line is no JSON", line);
}

/// No bytes can begin a record, end one, or make it too long.
inline void check_records(std::string_view lines, bool is_enriched) {
    try {
        for (const audit_records::Record& record : audit_records::parse(lines))
            if (!record.names.empty() && !is_enriched)
                broken("names in a record that has none", lines);
    } catch (const std::runtime_error& error) {
        broken(error.what(), lines);
    }
}

inline void fuzz_formats(std::string_view input) {
    static const std::vector<std::unique_ptr<Formatter>> formatters = [] {
        std::vector<std::unique_ptr<Formatter>> made;
        for (const Format* format : formats())
            made.push_back(
                format->make({.node = "n\"\n", .tier = "raw_tp", .boot_id = "b", .boot_time_ns = 1}));
        return made;
    }();
    std::string line;
    for_each_event(input, [&](Event& event) {
        event.dropped_before = event.sequence % 3;
        for (size_t i = 0; i < formatters.size(); ++i) {
            line.clear();
            formatters[i]->format(event, line);
            if (formats()[i]->name.starts_with("audit"))
                check_records(line, formats()[i]->name == "audit-enriched");
            else
                check_line(line, formats()[i]->name == "json" || formats()[i]->name == "ocsf");
        }
    });
}

} // namespace record_fuzz

// SPDX-License-Identifier: MIT
// Any bytes through the decoder and the process cache. Most of what a fuzzer makes up
// has no valid header, so a good one is put in front of two thirds of the inputs.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "telemetry/event/decoder.hpp"
#include "telemetry/process/cache.hpp"

namespace {

using namespace telemetry;

/// Reads what the event refers to, so that the sanitizers see it.
void touch(std::string_view bytes) {
    volatile unsigned char sink = 0;
    for (char c : bytes)
        sink = sink ^ static_cast<unsigned char>(c);
}

void touch(const Event& event) {
    touch(event.comm);
    touch(event.image.exe.bytes);
    touch(event.image.tty.bytes);
    touch(event.image.argv.bytes);
    touch(event.cwd.bytes);
    touch(event.root.bytes);
    touch(event.exec_argv.bytes);
    touch(event.sockaddr.bytes);
    if (event.paths > event.path.size() || event.strings > event.string.size())
        abort();
    for (size_t i = 0; i < event.paths; i++)
        touch(event.path[i].bytes);
    for (size_t i = 0; i < event.strings; i++)
        touch(event.string[i].bytes);
}

/// What makes the header of a record acceptable; the rest of it stays as the fuzzer has it.
void repair(std::vector<std::byte>& record) {
    ebt_header header;
    record.resize(std::max(record.size() / 8 * 8, sizeof header));
    std::memcpy(&header, record.data(), sizeof header);
    header.size = static_cast<uint32_t>(record.size());
    header.version = EBT_RECORD_VERSION;
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

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static Decoder decoder;
    // /dev/null is no folder: nothing heals from the machine's own processes.
    static ProcessCache cache({.processes = 8, .image_bytes = 1 << 20}, Procfs("/dev/null"));
    auto bytes = reinterpret_cast<const std::byte*>(data);
    std::vector<std::byte> record(bytes, bytes + size);
    if (size > 0 && data[size - 1] % 3 != 0)
        repair(record);
    Event event;
    if (decoder.decode(record, event)) {
        cache.enrich(event);
        touch(event);
    }
    return 0;
}

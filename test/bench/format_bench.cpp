// SPDX-License-Identifier: MIT
// What an event costs to write, alone and on its whole way from a record's bytes:
// cmake -DEBT_BENCH=ON -DCMAKE_BUILD_TYPE=Release, then format_bench.
#include <benchmark/benchmark.h>

#include <string>

#include <netinet/in.h>
#include <sys/socket.h>

#include "decoder.hpp"
#include "event.hpp"
#include "formatter.hpp"
#include "process_cache.hpp"
#include "unit/record_builder.hpp"

using namespace telemetry;

namespace {

FormatContext context() {
    FormatContext context;
    context.node = "web1.example.net";
    context.tier = "raw_tp";
    context.boot_id = "6a3d3e1c-0e0b-4c6c-9d56-8a54c3a7f001";
    context.boot_time_ns = 1'763'700'000'000'000'000;
    return context;
}

template <class Field> Field known(std::string_view bytes, Source source = Source::kernel) {
    Field field;
    field.bytes = bytes;
    field.status = Status::ok;
    field.source = source;
    field.original_length = static_cast<uint32_t>(bytes.size());
    return field;
}

Event call(const char* name, int64_t ret) {
    Event event;
    event.call = ebpf_loader::find_syscall(name);
    event.nr = event.call->number[EBT_X86_64];
    event.ret = ret;
    event.args = {0xffffffffffffff9c, 0x7ffd5bd8a2f0, 0x241, 0644, 0, 0};
    event.time_ns = 1'763'759'765'000'000'042;
    event.sequence = 1'234'567;
    event.cpu = 3;
    event.pid = event.tid = 284242;
    event.ppid = 284200;
    event.start_time_ns = 590'000'000'123'456;
    event.auid = event.uid = event.euid = event.suid = event.fsuid = 1000;
    event.gid = event.egid = event.sgid = event.fsgid = 1000;
    event.ses = 3;
    event.comm = "python3";
    event.image.exe = known<PathField>("/usr/bin/python3.11");
    event.image.exe.has_inode = true;
    event.image.exe.inode = {1234567, 0xef53, 0100755, 0, 0};
    event.image.tty = known<Text>("pts0");
    event.cwd = known<Text>("/home/ann/src/project");
    return event;
}

Event openat_event() {
    Event event = call("openat", 3);
    event.path[0] = known<PathField>("/home/ann/src/project/build/module/objects/file.o");
    event.path[0].argument = 1;
    event.path[0].has_inode = true;
    event.path[0].inode = {7654321, 0xef53, 0100644, 1000, 1000};
    event.paths = 1;
    return event;
}

Event failed_openat_event() {
    Event event = openat_event();
    event.ret = -2;
    event.path[0].source = Source::user_memory;
    event.path[0].has_inode = false;
    return event;
}

Event execve_event() {
    static const std::string_view argv("gcc\0-O2\0-g\0-Wall\0-Iinclude\0-c\0src/file.c\0-o\0build/file.o\0",
                                       65);
    Event event = call("execve", 0);
    event.image.argv = known<StringList>(argv);
    return event;
}

Event connect_event() {
    Event event = call("connect", 0);
    event.socket_status = Status::ok;
    event.socket.family = AF_INET;
    event.socket.type = SOCK_STREAM;
    event.socket.protocol = IPPROTO_TCP;
    event.socket.local_port = 45678;
    event.socket.remote_port = 443;
    event.socket.local = {10, 20, 30, 40};
    event.socket.remote = {192, 168, 100, 200};
    return event;
}

Event hostile_event() {
    static const std::string path = [] {
        std::string bytes = "/tmp/";
        for (int i = 0; i < 200; ++i)
            bytes.push_back(static_cast<char>(i));
        return bytes;
    }();
    Event event = call("openat", 3);
    event.path[0] = known<PathField>(path);
    event.paths = 1;
    return event;
}

void format_events(benchmark::State& state, const char* format, Event (*make)()) {
    const auto formatter = make_formatter(format, context());
    Event event = make();
    std::string out;
    for (auto _ : state) {
        if (out.size() > 128 * 1024)
            out.clear(); // as the program hands it to the sinks
        event.time_ns += 1'000;
        event.sequence += 1;
        formatter->format(event, out);
        benchmark::DoNotOptimize(out.data());
    }
    out.clear();
    formatter->format(event, out);
    state.counters["bytes"] = static_cast<double>(out.size());
    state.SetItemsProcessed(state.iterations());
}

/// As records come: the image with the first one alone, then one openat after another.
std::vector<std::byte> openat_record(bool with_image) {
    RecordBuilder record("openat");
    record.header.ret = 3;
    record.header.tgid = record.header.tid = 284242;
    record.header.start_time = 590'000'000'123'456;
    record.header.args[0] = 0xffffffffffffff9c;
    record.header.args[1] = 0x7ffd5bd8a2f0;
    record.header.args[2] = 0x241;
    if (with_image) {
        record.header.flags = EBT_IMAGE;
        record.file(EBT_FIELD_EXE, "/usr/bin/python3.11", {1234567, 0xef53, 0100755, 0, 0});
        record.field(EBT_FIELD_IMAGE_ARGV, RecordBuilder::list({"python3", "build.py", "--jobs", "4"}));
        record.field(EBT_FIELD_TTY, "pts0");
    }
    record.field(EBT_FIELD_CWD, RecordBuilder::components("/home/ann/src/project"));
    record.file(EBT_FIELD_FILE, "/home/ann/src/project/build/module/objects/file.o",
                {7654321, 0xef53, 0100644, 1000, 1000}, {EBT_ARG_RET, EBT_OK, 0, 0});
    return record.bytes();
}

/// Decoding alone when `format` is empty.
void whole_way(benchmark::State& state, std::string_view format) {
    const auto formatter = format.empty() ? nullptr : make_formatter(format, context());
    const std::vector<std::byte> image = openat_record(true);
    std::vector<std::byte> record = openat_record(false);
    Decoder decoder;
    ProcessCache cache;
    Event event;
    if (!decoder.decode(image, event))
        return state.SkipWithError("the record cannot be read");
    cache.enrich(event);
    std::string out;
    for (auto _ : state) {
        if (out.size() > 128 * 1024)
            out.clear();
        decoder.decode(record, event);
        cache.enrich(event);
        if (formatter)
            formatter->format(event, out);
        benchmark::DoNotOptimize(out.data());
    }
    if (event.image.exe.bytes != "/usr/bin/python3.11" || event.paths != 1)
        state.SkipWithError("the event is not whole");
    state.SetItemsProcessed(state.iterations());
}

void register_all() {
    static constexpr struct {
        const char* name;
        Event (*make)();
    } kinds[] = {{"openat", openat_event},
                 {"failed_openat", failed_openat_event},
                 {"execve", execve_event},
                 {"connect", connect_event},
                 {"hostile_path", hostile_event}};
    for (const std::string_view format : formatter_names()) {
        for (const auto& kind : kinds)
            benchmark::RegisterBenchmark((std::string(format) + "/" + kind.name).c_str(), format_events,
                                         format.data(), kind.make);
    }
    benchmark::RegisterBenchmark("decode", whole_way, std::string_view());
    for (const std::string_view format : formatter_names())
        benchmark::RegisterBenchmark(("decode+" + std::string(format)).c_str(), whole_way, format);
}

} // namespace

int main(int argc, char** argv) {
    register_all();
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}

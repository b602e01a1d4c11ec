// SPDX-License-Identifier: MIT
// Prints who opens which file, for a second (raw: a program for people escapes what it
// prints, since file names hold anything). Build and run:
//   g++ -std=c++20 openat.cpp -o openat $(pkg-config --cflags --libs ebpf_loader) && sudo ./openat
#include <ebpf_loader/engine.hpp>
#include <ebpf_loader/record_view.hpp>

#include <cstdio>

using namespace ebpf_loader;

static void print_record(std::span<const std::byte> record) {
    const RecordView view(record);
    if (const auto file = view.find(EBT_FIELD_FILE, EBT_ARG_RET)) // absent when openat failed
        std::printf("pid %u opened %s\n", view.header().tgid, view.path(*file).c_str());
}

int main() try {
    Selection selection;
    selection.select(*find_syscall("openat"), {}, true);
    Engine engine(selection, {});
    engine.start();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (std::chrono::steady_clock::now() < end)
        engine.poll(print_record, std::chrono::milliseconds(100));
} catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}

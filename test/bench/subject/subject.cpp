// SPDX-License-Identifier: MIT
// A process of its own for what is measured, so that its CPU time and memory are its own.
//   bench_subject floor NAME
//   bench_subject engine RULES_FILE [TIER]
//       reads "on" and "off" from standard input; answers each with a line when it is done:
//       to "off" with what was counted since the start, as JSON. Ends with its input.
//   bench_subject record RULES_FILE FILE
//       the same; writes what the engine captures to FILE
//   bench_subject syslog MARKER COMMAND ...
//       runs a command with a system log that throws all away
#include "test/bench/subject/watcher.hpp"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <poll.h>
#include <stdexcept>
#include <unistd.h>

namespace {

using bench::Watcher;

std::string slurp(const char* path) {
    std::ifstream file(path);
    if (!file)
        throw std::runtime_error(std::string("cannot read ") + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Records in a row as they came: each tells its own length.
bench::OnRecord write_to(std::ofstream& file) {
    return [&file](std::span<const std::byte> record) {
        file.write(reinterpret_cast<const char*>(record.data()), static_cast<std::streamsize>(record.size()));
    };
}

void say(const std::string& line) {
    std::cout << line << std::endl;
}

std::string as_json(const std::map<std::string, uint64_t>& counts) {
    std::string text;
    for (const auto& [name, count] : counts)
        text += (text.empty() ? "{\"" : ",\"") + name + "\":" + std::to_string(count);
    return text.empty() ? "{}" : text + "}";
}

bool has_input() {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    return poll(&input, 1, 0) > 0;
}

int serve(Watcher& watcher) {
    say("ready");
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "on") {
            watcher.on();
            say("on");
            while (!has_input())
                watcher.poll();
        } else if (line == "off") {
            watcher.off();
            say(as_json(watcher.counts()));
        } else {
            throw std::runtime_error("what is " + line + "?");
        }
    }
    return 0;
}

int run(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "floor" && argc == 3)
        if (const auto floor = bench::make_floor(argv[2]))
            return serve(*floor);
    if (what == "engine" && argc >= 3)
        return serve(*bench::make_engine({.tier = argc > 3 ? argv[3] : "", .rules = slurp(argv[2])}));
    if (what == "record" && argc == 4) {
        std::ofstream file(argv[3], std::ios::binary);
        const int status = serve(*bench::make_engine({.tier = "", .rules = slurp(argv[2])}, write_to(file)));
        file.close();
        return file ? status : throw std::runtime_error(std::string("cannot write ") + argv[3]);
    }
    if (what == "syslog" && argc > 3)
        bench::with_false_syslog(argv[2], argv + 3);
    throw std::runtime_error("see the top of subject.cpp for what it takes");
}

} // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& error) {
    fprintf(stderr, "bench_subject: %s\n", error.what());
    return 1;
}

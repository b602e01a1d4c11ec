// SPDX-License-Identifier: MIT
#include "test/bench/tool.hpp"

#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace bench {
namespace {

constexpr milliseconds start_patience{20'000};
constexpr milliseconds end_patience{15'000};

std::string last_line(const std::string& path) {
    std::ifstream file(path);
    std::string last;
    for (std::string line; std::getline(file, line);)
        if (!line.empty())
            last = line;
    return last;
}

} // namespace

void Tool::on() {
    unlink(errors().c_str());
    output_.emplace(plan_.output, plan_.marker);
    process_.emplace(
        plan_.command,
        Streams{.dialogue = false, .output = plan_.output_is_stdout ? plan_.output : "", .errors = errors()});
    wait_until_it_watches();
    cpu_before_ = cpu_ns(process_->pid());
}

void Tool::wait_until_it_watches() {
    provoke_until_seen(start_patience);
}

void Tool::provoke_until_seen(milliseconds patience) {
    const std::string probe = settings_.scratch + "/probe";
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!output_->contains(plan_.shows_it_runs)) {
        if (!process_->is_running())
            throw std::runtime_error("it ended: " + last_line(errors()));
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("it reports nothing");
        for (int i = 0; i < 20; i++)
            close(open(probe.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        std::this_thread::sleep_for(milliseconds(5));
    }
}

Outcome Tool::off() {
    Outcome outcome;
    outcome.peak_memory = peak_memory(pid());
    process_->end(plan_.signal, end_patience);
    outcome.cpu_ns = process_->total_cpu_ns() - cpu_before_; // what it had still to do included
    collect(outcome);
    return outcome;
}

void Tool::collect(Outcome& outcome) {
    const OutputFile::Count count = output_->take();
    outcome.counts = {{"delivered", count.marked}, {"lines", count.lines}, {"output_bytes", count.bytes}};
}

} // namespace bench

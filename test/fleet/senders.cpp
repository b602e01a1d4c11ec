// SPDX-License-Identifier: MIT
// Many outputs in one process, as so many hosts have them: each replays recorded lines with an event.id of
// its own. usage: senders OUTPUT LINES SENDERS EVENTS RATE
//   OUTPUT   a file with one section [output.NAME]; @ in it is replaced by the sender's number
//   LINES    recorded lines of JSON
//   EVENTS   of each sender
//   RATE     events a second of each sender; 0: as fast as the output takes them
// Prints one object of JSON: events, delivered, lost, and the time and CPU time that it took.
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/delivery/line_fields.hpp"
#include "telemetry/delivery/output.hpp"

using namespace telemetry;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr uint64_t most_waiting = 4000; ///< events in a queue, where there is no rate

/// A recorded line, cut at its event.id.
struct Line {
    std::string before, behind;
};

std::vector<Line> read_lines(const std::string& path) {
    std::vector<Line> lines;
    std::ifstream file(path);
    for (std::string text; std::getline(file, text);) {
        const std::string_view id = event_id_of(text);
        if (id.empty())
            continue;
        const auto begin = static_cast<size_t>(id.data() - text.data());
        lines.push_back({text.substr(0, begin), text.substr(begin + id.size()) + "\n"});
    }
    return lines;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string replaced(std::string text, const std::string& number) {
    for (size_t at = text.find('@'); at != std::string::npos; at = text.find('@'))
        text.replace(at, 1, number);
    return text;
}

class SimulatedHost {
  public:
    SimulatedHost(const std::string& outputs, const std::string& number)
        : output_(parse_outputs(replaced(outputs, number), "outputs").at(0)),
          prefix_("sender-" + number + "-") {}

    void put(const std::vector<Line>& lines, uint64_t count) {
        for (uint64_t i = 0; i < count; ++i) {
            const Line& line = lines[next_ % lines.size()];
            text_.assign(line.before).append(prefix_).append(std::to_string(next_++)).append(line.behind);
            output_.put(text_, false, true);
        }
        output_.hand_over();
    }
    DeliveryReport report() const { return *output_.report().delivery; }
    void close() { output_.close(); }
    uint64_t given() const { return next_; }

  private:
    DeliveryOutput output_;
    std::string prefix_, text_;
    uint64_t next_ = 0;
};

double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Nothing that could be delivered waits any more, or it has taken too long.
void wait_for(const std::vector<std::unique_ptr<SimulatedHost>>& hosts, std::chrono::seconds patience) {
    for (const auto end = Clock::now() + patience; Clock::now() < end; std::this_thread::sleep_for(2ms)) {
        uint64_t waiting = 0;
        for (const auto& host : hosts)
            waiting += host->report().waiting;
        if (waiting == 0)
            return;
    }
}

void give(std::vector<std::unique_ptr<SimulatedHost>>& hosts, const std::vector<Line>& lines, uint64_t events,
          double rate) {
    constexpr uint64_t piece = 500;
    const auto begin = Clock::now();
    for (bool is_done = false; !is_done;) {
        is_done = true;
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        for (auto& host : hosts) {
            const uint64_t due = rate > 0 ? std::min(events, static_cast<uint64_t>(seconds * rate)) : events;
            if (rate > 0 || host->report().waiting < most_waiting)
                host->put(lines, std::min(due - std::min(due, host->given()), rate > 0 ? events : piece));
            is_done &= host->given() >= events;
        }
        std::this_thread::sleep_for(rate > 0 ? 20ms : 50us);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::cerr << "usage: senders OUTPUT LINES SENDERS EVENTS RATE\n";
        return 2;
    }
    try {
        const std::string outputs = text_of(argv[1]);
        const std::vector<Line> lines = read_lines(argv[2]);
        const uint64_t events = std::strtoull(argv[4], nullptr, 10);
        if (lines.empty())
            throw std::runtime_error("no lines of events in " + std::string(argv[2]));
        std::vector<std::unique_ptr<SimulatedHost>> hosts;
        for (uint64_t i = 0; i < std::strtoull(argv[3], nullptr, 10); ++i)
            hosts.push_back(std::make_unique<SimulatedHost>(outputs, std::to_string(i)));
        const double cpu = cpu_seconds();
        const auto begin = Clock::now();
        give(hosts, lines, events, std::strtod(argv[5], nullptr));
        wait_for(hosts, 120s);
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        nlohmann::json result = {
            {"seconds", seconds}, {"cpu_seconds", cpu_seconds() - cpu}, {"events", 0}, {"delivered", 0}};
        result["lost"] = nlohmann::json::object();
        uint64_t given = 0, delivered = 0;
        std::map<std::string, uint64_t> lost;
        for (auto& host : hosts) {
            host->close();
            const DeliveryReport report = host->report();
            given += host->given();
            delivered += report.delivered;
            for (const auto& [cause, count] : report.lost)
                lost[std::string(cause)] += count;
        }
        result["events"] = given;
        result["delivered"] = delivered;
        result["lost"] = lost;
        std::cout << result << std::endl;
    } catch (const std::exception& error) {
        std::cerr << "senders: " << error.what() << '\n';
        return 1;
    }
}

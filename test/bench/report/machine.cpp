// SPDX-License-Identifier: MIT
#include "test/bench/parts/parts.hpp"
#include "test/bench/process.hpp"

#include <bpf/bpf.h>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sys/utsname.h>

namespace bench {
namespace {

/// The value of "key : value" or "key=value".
std::string value_in(const char* path, const std::string& key, char separator) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key))
            continue;
        std::string value = line.substr(line.find(separator) + 1);
        while (!value.empty() && (value.front() == ' ' || value.front() == '"'))
            value.erase(0, 1);
        while (!value.empty() && (value.back() == ' ' || value.back() == '"'))
            value.pop_back();
        return value;
    }
    return "unknown";
}

std::string first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    return std::getline(file, line) ? line : "unknown";
}

/// Of tools other than ours: they are part of every figure.
size_t loaded_programs() {
    size_t count = 0;
    for (uint32_t id = 0; !bpf_prog_get_next_id(id, &id);)
        count++;
    return count;
}

std::string today() {
    const time_t now = time(nullptr);
    char text[32];
    tm parts{};
    strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&now, &parts));
    return text;
}

std::string memory() {
    const double kib = std::strtod(value_in("/proc/meminfo", "MemTotal", ':').c_str(), nullptr);
    return decimals(kib / (1 << 20), 1) + " GiB";
}

bool is_virtual() {
    return (" " + value_in("/proc/cpuinfo", "flags", ':') + " ").find(" hypervisor ") != std::string::npos;
}

} // namespace

void describe_machine(const Settings& settings, Report& report) {
    utsname kernel{};
    uname(&kernel);
    const std::vector<std::pair<std::string, std::string>> facts = {
        {"date", today()},
        {"extent", settings.extent_name},
        {"CPU", value_in("/proc/cpuinfo", "model name", ':') + (is_virtual() ? ", virtual" : "")},
        {"CPUs used", std::to_string(settings.cpus.size())},
        {"memory", memory()},
        {"kernel", kernel.release},
        {"distribution", value_in("/etc/os-release", "PRETTY_NAME", '=')},
        {"load at the start", first_line("/proc/loadavg")},
        {"eBPF programs of others", std::to_string(loaded_programs())},
    };
    std::vector<Report::Row> rows;
    for (const auto& [name, value] : facts) {
        rows.push_back({name, value});
        report.raw("machine")[name] = value;
    }
    report.table({"machine", ""}, rows);
}

} // namespace bench

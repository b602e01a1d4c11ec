// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/tracepoint.hpp"

#include <charconv>
#include <fstream>
#include <unistd.h>

namespace ebpf_loader {
namespace {

std::string event_file(const std::string& tracefs, const std::string& event, const char* file) {
    return tracefs + "/events/" + event + "/" + file;
}

} // namespace

std::optional<uint32_t> tracepoint_field(const std::string& tracefs, const std::string& event,
                                         const std::string& field) {
    // "	field:pid_t child_pid;	offset:20;	size:4;	signed:1;"
    std::ifstream format(event_file(tracefs, event, "format"));
    const std::string name = " " + field + ";", key = "offset:";
    for (std::string line; std::getline(format, line);) {
        const size_t at = line.find(key);
        if (line.find(name) == std::string::npos || at == std::string::npos)
            continue;
        uint32_t offset = 0;
        const char* first = line.data() + at + key.size();
        if (std::from_chars(first, line.data() + line.size(), offset).ec == std::errc{})
            return offset;
    }
    return std::nullopt;
}

bool has_tracepoint(const std::string& tracefs, const std::string& event) {
    return access(event_file(tracefs, event, "id").c_str(), R_OK) == 0;
}

} // namespace ebpf_loader

// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/tracing/tracepoint.hpp"

#include "loader/src/base/cpus.hpp"
#include "loader/src/base/text.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
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
    // access(2) would ask for a user other than root without the capabilities that open what is root's alone.
    return read_file(event_file(tracefs, event, "id"), 1).has_value();
}

UniqueFd hook_tracepoint(const std::string& tracefs, const std::string& event, int program_fd,
                         std::string& problem) {
    const auto fail = [&](const std::string& what) {
        problem = what + ": " + strerror(errno);
        return UniqueFd();
    };
    const std::string text = read_file(event_file(tracefs, event, "id"), 32).value_or("");
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.size = sizeof(attributes);
    attributes.sample_period = 1;
    if (std::from_chars(text.data(), text.data() + text.size(), attributes.config).ec != std::errc{}) {
        errno = ENOENT;
        return fail("this kernel has no tracepoint " + event);
    }
    const auto cpus = online_cpus();
    UniqueFd fd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1,
                                         cpus.empty() ? 0 : cpus.front(), -1, PERF_FLAG_FD_CLOEXEC)));
    if (!fd)
        return fail("cannot open the tracepoint " + event);
    if (ioctl(fd.get(), PERF_EVENT_IOC_SET_BPF, program_fd))
        return fail(errno == EEXIST ? "another tool has the tracepoint " + event +
                                          ", and this kernel takes one program per tracepoint (4.14); stop "
                                          "that tool"
                                    : "cannot attach to the tracepoint " + event);
    if (ioctl(fd.get(), PERF_EVENT_IOC_ENABLE, 0))
        return fail("cannot enable the tracepoint " + event);
    return fd;
}

} // namespace ebpf_loader

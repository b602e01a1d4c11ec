// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/engine/earlier_threads.hpp"

#include <ebpf_loader/abi/plan.h>

#include "loader/src/base/clock.hpp"
#include "loader/src/base/procfs.hpp"
#include "loader/src/base/text.hpp"

#include <bpf/bpf.h>
#include <charconv>
#include <ctime>
#include <filesystem>

namespace ebpf_loader {
namespace {

bool has_several_threads(const std::string& process) {
    constexpr size_t most = 8192; // of /proc/PID/status; it has about 1,500 bytes
    const auto status = read_file(process + "/status", most);
    return status && status_number(*status, "Threads").value_or(1) > 1;
}

/// The kernel side may count meanwhile, and that count be lost: what it found before is void all the same.
void look_for_marks_again(int sharing_marks) {
    constexpr uint64_t far = uint64_t{1} << 32;
    const uint32_t zero = 0;
    uint64_t marks = 0;
    bpf_map_lookup_elem(sharing_marks, &zero, &marks);
    marks += far;
    bpf_map_update_elem(sharing_marks, &zero, &marks, BPF_ANY);
}

} // namespace

void note_earlier_threads(int sharings, int sharing_marks, const char* proc) {
    const ebt_sharing sharing{.start_time = clock_ns(CLOCK_BOOTTIME),
                              .what = EBT_SHARED_ALL | EBT_SHARED_EARLIER};
    std::error_code error;
    for (std::filesystem::directory_iterator entry(proc, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        uint32_t tgid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), tgid).ptr != name.data() + name.size())
            continue;
        if (has_several_threads(entry->path())) // what the hooks have noted by now stays
            bpf_map_update_elem(sharings, &tgid, &sharing, BPF_NOEXIST);
    }
    look_for_marks_again(sharing_marks);
}

} // namespace ebpf_loader

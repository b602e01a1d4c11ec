// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/cpus.hpp"

#include <fstream>
#include <thread>

namespace ebpf_loader {

std::vector<int> online_cpus() {
    std::vector<int> cpus;
    std::ifstream file("/sys/devices/system/cpu/online"); // "0-3,5"
    for (int first; file >> first;) {
        int last = first;
        if (file.peek() == '-') {
            file.get();
            file >> last;
        }
        for (int cpu = first; cpu <= last; cpu++)
            cpus.push_back(cpu);
        if (file.peek() == ',')
            file.get();
    }
    if (cpus.empty()) // no sysfs here
        for (unsigned cpu = 0; cpu < std::thread::hardware_concurrency(); cpu++)
            cpus.push_back(static_cast<int>(cpu));
    return cpus;
}

} // namespace ebpf_loader

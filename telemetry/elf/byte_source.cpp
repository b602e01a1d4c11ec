// SPDX-License-Identifier: MIT
#include "telemetry/elf/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace telemetry {

size_t ByteSource::read_some(uint64_t offset, void* to, size_t size) const {
    if (!size || !budget_->read(size))
        return 0;
    if (!file_) {
        if (offset >= memory_.size())
            return 0;
        const size_t part = std::min<uint64_t>(size, memory_.size() - offset);
        memcpy(to, memory_.data() + offset, part);
        return part;
    }
    size_t done = 0;
    while (done < size && offset <= INT64_MAX - size) {
        const ssize_t part =
            pread(file_.get(), static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        done += static_cast<size_t>(part);
    }
    return done;
}

} // namespace telemetry

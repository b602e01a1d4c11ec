// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/kernel_btf.hpp"

#include "loader/src/base/btf_ptr.hpp"
#include "loader/src/base/kernel_image.hpp"
#include "loader/src/base/libbpf_quiet.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace ebpf_loader {
namespace {

constexpr off_t most_bytes = 256 << 20;

struct Kept {
    std::mutex mutex;
    std::string path;
    std::shared_ptr<const btf> types;
};

Kept& kept() {
    static Kept kept;
    return kept;
}

/// A file of sysfs gives a page with each read(2), and can be mapped from Linux 6.16 on.
BtfPtr read_types(const std::string& path) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0)
        return nullptr;
    if (status.st_size <= 0 || status.st_size > most_bytes) {
        errno = EINVAL;
        return nullptr;
    }
    const auto size = static_cast<size_t>(status.st_size);
    void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
    if (mapped != MAP_FAILED) {
        BtfPtr types(btf__new(mapped, static_cast<uint32_t>(size)));
        const int error = errno;
        munmap(mapped, size);
        errno = error;
        return types;
    }
    std::vector<char> bytes(size);
    size_t filled = 0;
    while (filled < size) {
        const ssize_t got = read(fd.get(), bytes.data() + filled, size - filled);
        if (got < 0)
            return nullptr;
        if (got == 0)
            break;
        filled += static_cast<size_t>(got);
    }
    return BtfPtr(btf__new(bytes.data(), static_cast<uint32_t>(filled)));
}

} // namespace

std::shared_ptr<const btf> kernel_btf() {
    Kept& here = kept();
    const std::lock_guard lock(here.mutex);
    const std::string path = kernel_btf_path();
    if (!here.types || here.path != path) {
        const LibbpfQuiet quiet;
        here.types = read_types(path);
        here.path = path;
    }
    return here.types;
}

void forget_kernel_btf() {
    Kept& here = kept();
    const std::lock_guard lock(here.mutex);
    here.types.reset();
}

} // namespace ebpf_loader

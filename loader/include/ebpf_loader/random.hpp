// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <fcntl.h>
#include <limits>
#include <sys/random.h>
#include <unistd.h>

#include <ebpf_loader/unique_fd.hpp>

namespace ebpf_loader {

/// From the kernel's generator. Early in a boot, before Linux 5.6, getrandom(2) would wait for entropy, a
/// minute at worst; /dev/urandom does not, whose bits may then be guessed by who knows this boot well. Waits
/// only where there is no such file.
inline uint64_t random_bits() {
    constexpr ssize_t size = sizeof(uint64_t);
    uint64_t bits = 0;
    if (getrandom(&bits, size, GRND_NONBLOCK) == size)
        return bits;
    const UniqueFd file(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
    if (file && read(file.get(), &bits, size) == size)
        return bits;
    while (getrandom(&bits, size, 0) != size)
        continue; // a signal came
    return bits;
}

/// The same as a generator of the standard library's kind.
struct RandomBits {
    using result_type = uint64_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
    result_type operator()() const { return random_bits(); }
};

} // namespace ebpf_loader

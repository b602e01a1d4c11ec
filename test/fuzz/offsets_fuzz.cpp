// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "test/fuzz/offsets_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    offsets_fuzz::fuzz_offsets({reinterpret_cast<const char*>(data), size});
    return 0;
}

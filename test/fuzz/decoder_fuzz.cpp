// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "test/fuzz/record_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    record_fuzz::fuzz_records({reinterpret_cast<const char*>(data), size});
    return 0;
}

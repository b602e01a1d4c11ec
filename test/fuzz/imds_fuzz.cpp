// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "test/fuzz/imds_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    imds_fuzz::fuzz_imds({reinterpret_cast<const char*>(data), size});
    return 0;
}

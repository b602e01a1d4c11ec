// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "test/fuzz/endpoints_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    endpoints_fuzz::fuzz_endpoints({reinterpret_cast<const char*>(data), size});
    return 0;
}

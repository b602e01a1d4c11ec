// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "test/fuzz/spool_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    spool_test::fuzz_spool({reinterpret_cast<const char*>(data), size});
    return 0;
}

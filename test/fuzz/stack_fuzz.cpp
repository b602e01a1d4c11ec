// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "test/fuzz/stack_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    stack_fuzz::fuzz_stack({reinterpret_cast<const char*>(data), size});
    return 0;
}

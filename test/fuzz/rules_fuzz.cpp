// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "test/fuzz/rules_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    rules_test::fuzz_rules({reinterpret_cast<const char*>(data), size});
    return 0;
}

// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "get_offsets/dwarf.hpp"
#include "test/fuzz/offsets_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    offsets_fuzz::read({reinterpret_cast<const char*>(data), size}, &offsets_from_dwarf);
    return 0;
}

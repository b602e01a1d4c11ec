// SPDX-License-Identifier: MIT
// What this program and its helper for stacks say to each other, as the bytes of packets: both are the same
// program. The helper's are not trusted.
#pragma once
#include <cstddef>
#include <cstdint>

#include "telemetry/elf/work_budget.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/helper/packets.hpp"
#include "telemetry/stack/code_files.hpp"

namespace telemetry::stack_messages {

using packets::bytes_of, packets::put, packets::take, packets::text_of;

enum class Kind : uint32_t { stack = 1, question, place, answer };

/// To the helper; the bytes of the stack follow.
struct Stack {
    Kind kind = Kind::stack;
    bool is_map_whole = true;
    ebt_registers registers{};
    Work done; ///< for this stack, before it
};

/// From the helper: what is at an address?
struct Question {
    Kind kind = Kind::question;
    uint64_t address = 0;
};

/// To the helper, with the file if there is one to read. Where it is memory, its bytes follow.
struct Place {
    Kind kind = Kind::place;
    bool is_code = false, has_bytes = false, has_identity = false;
    uint64_t begin = 0, end = 0, offset = 0, inode = 0;
    char name[16] = {}; ///< of what is no file: "[vdso]"
    FileIdentity identity;
    Work done; ///< to find it
};

/// From the helper; `frames` of the following follow.
struct Answer {
    Kind kind = Kind::answer;
    uint32_t frames = 0;
    uint32_t end = 0;     ///< StackEnd
    Work done;            ///< for all of it
    uint64_t refused = 0; ///< files that are not looked at again, since the answer before
};

struct Frame {
    static constexpr uint32_t no_place = UINT32_MAX;
    uint64_t address = 0;
    uint64_t module_offset = 0, symbol_offset = 0;
    uint32_t place = no_place;                                      ///< the how manieth that was asked for
    uint8_t has_module_offset = 0, is_guess = 0, is_too_costly = 0; ///< no bool: it may be any byte
    char symbol[520] = {};
    char build_id[136] = {};
};

} // namespace telemetry::stack_messages

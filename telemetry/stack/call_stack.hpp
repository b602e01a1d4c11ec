// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// A function that had not returned. What is not known is absent.
struct StackFrame {
    uint64_t address = 0; ///< where the function goes on
    std::string module;   ///< as the kernel names what is mapped there: a path, "[vdso]", "[anon]"
    std::optional<uint64_t> module_offset; ///< the address in the file's own terms, as nm has it
    std::string symbol;                    ///< demangled
    uint64_t symbol_offset = 0;
    std::string build_id;       ///< in hexadecimal
    bool is_guess = false;      ///< found by the frame pointer: functions without one may lie between
    bool is_too_costly = false; ///< more might be known of it, for more work than one stack may cost
};

/// Why a stack has no more frames.
enum class StackEnd : uint8_t {
    none, ///< the event came without a stack
    outermost,
    not_captured, ///< it goes on in memory that was not captured
    too_deep,
    not_known,     ///< the caller cannot be found: no unwind table, no frame pointer
    gone,          ///< the process had ended
    too_costly,    ///< to go on would be more work than a stack, or this process's stacks, may cost
    helper_failed, ///< the helper process did not answer, or not as it should
};
std::string_view stack_end_name(StackEnd end);

/// Innermost first.
struct CallStack {
    std::vector<StackFrame> frames;
    StackEnd end = StackEnd::none;
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/elf/unwind_interpreter.hpp"

namespace telemetry {
namespace {

constexpr size_t most_remembered = 16;
constexpr uint64_t instruction_cost = 4, state_cost = 16; ///< of Work::entries, where a symbol is 1

/// What compilers write: a register and an offset, and maybe "what stands there" (true). Anything
/// else is no register.
bool expression(DwarfReader& reader, uint64_t& base, int64_t& offset) {
    constexpr uint8_t breg0 = 0x70, deref = 0x06;
    const uint64_t length = reader.uleb128();
    const size_t begin = reader.position();
    base = unwind_registers;
    DwarfReader inside(reader.rest().substr(0, length), 0, 8);
    reader.skip(length);
    const auto code = inside.number<uint8_t>();
    const int64_t added = inside.sleb128();
    const bool is_stored = !inside.at_end() && inside.number<uint8_t>() == deref;
    if (inside.failed() || !inside.rest().empty() || reader.position() != begin + length)
        return false;
    if (code >= breg0 && code - breg0 < static_cast<int>(unwind_registers)) {
        base = static_cast<uint64_t>(code - breg0);
        offset = added;
    }
    return is_stored;
}

} // namespace

bool UnwindInterpreter::run(DwarfReader reader) {
    while (!reader.at_end() && place_ <= wanted_)
        if (!budget_.parse(instruction_cost) || !step(reader))
            return false;
    return !reader.failed();
}

bool UnwindInterpreter::step(DwarfReader& reader) {
    const auto code = reader.number<uint8_t>();
    const uint8_t low = code & 0x3f;
    switch (code & 0xc0) {
    case 0x40:
        return advance(low);
    case 0x80:
        return set(low, How::at, factored(reader.uleb128()));
    case 0xc0:
        return restore(low);
    }
    return extended(code, reader);
}

bool UnwindInterpreter::extended(uint8_t code, DwarfReader& reader) {
    switch (code) {
    case 0x00: // nop
        return true;
    case 0x01: // set_loc
        place_ = reader.pointer(common_.encoding);
        return true;
    case 0x02:
        return advance(reader.number<uint8_t>());
    case 0x03:
        return advance(reader.number<uint16_t>());
    case 0x04:
        return advance(reader.number<uint32_t>());
    case 0x06: // restore_extended
        return restore(reader.uleb128());
    case 0x0a: // remember_state
        remembered_.push_back(row_);
        return remembered_.size() <= most_remembered && budget_.parse(state_cost);
    case 0x0b: // restore_state
        if (remembered_.empty())
            return false;
        row_ = remembered_.back();
        remembered_.pop_back();
        return budget_.parse(state_cost);
    case 0x0c: // def_cfa
        row_.frame_register = reader.uleb128();
        row_.frame_offset = static_cast<int64_t>(reader.uleb128());
        row_.frame_is_stored = false;
        return true;
    case 0x0d: // def_cfa_register
        row_.frame_register = reader.uleb128();
        return true;
    case 0x0e: // def_cfa_offset
        row_.frame_offset = static_cast<int64_t>(reader.uleb128());
        return true;
    case 0x0f: // def_cfa_expression
        row_.frame_is_stored = expression(reader, row_.frame_register, row_.frame_offset);
        return true;
    case 0x12: // def_cfa_sf
        row_.frame_register = reader.uleb128();
        row_.frame_offset = factored(static_cast<uint64_t>(reader.sleb128()));
        row_.frame_is_stored = false;
        return true;
    case 0x13: // def_cfa_offset_sf
        row_.frame_offset = factored(static_cast<uint64_t>(reader.sleb128()));
        return true;
    case 0x2d: // AARCH64_negate_ra_state: the address to return to is signed, or no longer so
        return true;
    case 0x2e: // GNU_args_size
        reader.uleb128();
        return true;
    }
    return of_register(code, reader);
}

bool UnwindInterpreter::of_register(uint8_t code, DwarfReader& reader) {
    const uint64_t number = reader.uleb128();
    switch (code) {
    case 0x05: // offset_extended
        return set(number, How::at, factored(reader.uleb128()));
    case 0x07:
        return set(number, How::undefined, 0);
    case 0x08:
        return set(number, How::same, 0);
    case 0x09:
        return set(number, How::in, static_cast<int64_t>(reader.uleb128()));
    case 0x10: // expression
        return set_stored(number, reader);
    case 0x16: // val_expression
        reader.skip(reader.uleb128());
        return set(number, How::unknown, 0);
    case 0x11: // offset_extended_sf
        return set(number, How::at, factored(static_cast<uint64_t>(reader.sleb128())));
    case 0x14: // val_offset
        return set(number, How::is, factored(reader.uleb128()));
    case 0x15: // val_offset_sf
        return set(number, How::is, factored(static_cast<uint64_t>(reader.sleb128())));
    }
    return false;
}

bool UnwindInterpreter::advance(uint64_t units) {
    place_ += units * common_.code_factor;
    return true;
}

/// Registers that are not followed, as those of vectors, do not matter.
bool UnwindInterpreter::set(uint64_t number, How how, int64_t offset) {
    if (number < unwind_registers)
        row_.rules[number] = {.how = how, .offset = offset};
    return true;
}

bool UnwindInterpreter::set_stored(uint64_t number, DwarfReader& reader) {
    UnwindRules::Rule rule{.how = How::at_own};
    if (expression(reader, rule.base, rule.offset))
        rule.base = unwind_registers;
    if (rule.base >= unwind_registers)
        rule.how = How::unknown;
    if (number < unwind_registers)
        row_.rules[number] = rule;
    return true;
}

bool UnwindInterpreter::restore(uint64_t number) {
    if (number < unwind_registers)
        row_.rules[number] = initial_.rules[number];
    return true;
}

int64_t UnwindInterpreter::factored(uint64_t value) const {
    return static_cast<int64_t>(value * static_cast<uint64_t>(common_.data_factor));
}

} // namespace telemetry

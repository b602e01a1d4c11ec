// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "telemetry/elf/dwarf_reader.hpp"
#include "telemetry/elf/unwind_table.hpp"
#include "telemetry/elf/work_budget.hpp"

namespace telemetry {

/// What entries have in common.
struct CommonEntry {
    uint64_t code_factor = 1;
    int64_t data_factor = 1;
    uint64_t return_register = 0;
    uint8_t encoding = PointerEncoding::absolute;
    bool has_data = false;
    bool is_signal_frame = false;
    std::string entry;
    uint64_t address = 0; ///< of the instructions
    size_t instructions = 0;
};

/// Follows the instructions of an entry, up to the one for an address.
class UnwindInterpreter {
  public:
    UnwindInterpreter(const CommonEntry& common, uint64_t begin, uint64_t wanted, WorkBudget& budget)
        : common_(common), place_(begin), wanted_(wanted), budget_(budget) {
        row_.return_register = common.return_register;
        row_.is_signal_frame = common.is_signal_frame;
    }

    /// False for what cannot be understood, or costs too much.
    bool run(DwarfReader reader);
    void keep_initial() { initial_ = row_; }
    const UnwindRules& row() const { return row_; }

  private:
    using How = UnwindRules::How;

    bool step(DwarfReader& reader);
    bool extended(uint8_t code, DwarfReader& reader);
    bool of_register(uint8_t code, DwarfReader& reader);
    bool advance(uint64_t units);
    bool set(uint64_t number, How how, int64_t offset);
    bool set_stored(uint64_t number, DwarfReader& reader);
    bool restore(uint64_t number);
    int64_t factored(uint64_t value) const;

    const CommonEntry& common_;
    uint64_t place_, wanted_;
    WorkBudget& budget_;
    UnwindRules row_, initial_;
    std::vector<UnwindRules> remembered_;
};

} // namespace telemetry

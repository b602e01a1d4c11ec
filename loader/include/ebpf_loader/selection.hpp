// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/api.hpp>
#include <ebpf_loader/path_screen.hpp>
#include <ebpf_loader/syscalls.hpp>

namespace ebpf_loader {

/// What to capture: plans by row and the numbers that lead to them.
class EBPF_LOADER_API Selection {
  public:
    /// Selects a row of the table by every number that leads to it; a call with several forms
    /// is selected form by form (see next_form()). `filter` is ORed clauses
    /// (see ebt_predicate); empty: everything. With include_all only what a clause with
    /// EBT_EXCLUDE fits is dropped, and of what no clause fits what has none of the paths of `screens`, bits
    /// of those of screen_paths(); a clause has its own, and without them lets through whatever the paths
    /// are. Selecting a call again replaces its filter. A socket
    /// call is also selected where i386 programs make it through socketcall(2), and one of
    /// System V's ipc where they make it through ipc(2).
    /// Throws Error(usage) for a filter that no plan can hold.
    void select(const SyscallRow& call, std::span<const ebt_predicate> filter, bool include_all,
                uint16_t screens = 0);
    /// Of a call that was selected, leaves those in these ABIs (1 << ebt_abi) alone; not of one that
    /// executes, whose ABI may change meanwhile. Selecting the call again undoes it.
    void limit(const SyscallRow& call, uint8_t abis);
    /// Selects a number (x32: without bit 30) that the table does not know; no captures
    /// but the arguments. Returns its plan row. One that the table knows after all gets
    /// the table's row, in this ABI alone.
    uint16_t select_number(ebt_abi abi, int number, std::span<const ebt_predicate> filter, bool include_all);
    /// Selects EBT_ROW_FORK, EBT_ROW_EXEC or EBT_ROW_EXIT.
    void select_process(ebt_process_row row, std::span<const ebt_predicate> filter, bool include_all);
    /// Selects what calls move over TCP connections whose far end is one of these: records of
    /// the kind EBT_TRANSFER, besides the record of the call itself where that is selected too.
    /// Calls that move bytes cost next to nothing while no such connection is open; see
    /// Engine::pause_transfers(). Throws Error(usage) when there are too many.
    void select_transfers(std::span<const ebt_endpoint> endpoints);
    /// Which paths the screens of filters have.
    void screen_paths(PathScreen screen) { screen_ = std::move(screen); }
    /// Asks for the registers and the stack of who connects or sends there, with each such record:
    /// EBT_FIELD_USER_STACK. Costs nothing where it is not asked for.
    void select_stacks() { wants_stacks_ = true; }
    /// Asks for the environment that a process image started with, with the image: EBT_FIELD_ENVIRONMENT.
    void select_environment() { wants_environment_ = true; }
    /// Asks for which content the executable of a process image has, with the image: EBT_FIELD_EXE_VERSION.
    void select_exe_versions() { wants_exe_versions_ = true; }
    /// Numbers that the table does not know get the rows that they had there: one engine may hold both
    /// selections for a while, see Engine::widen(). Before select_number().
    void keep_rows_of(const Selection& earlier);

    const std::map<uint16_t, ebt_plan>& plans() const { return plans_; }
    const std::map<uint32_t, ebt_numbers>& numbers() const { return numbers_; }
    bool needs_enter() const; ///< some selected call is taken at sys_enter
    bool empty() const { return plans_.empty(); }
    const std::vector<ebt_endpoint>& endpoints() const { return endpoints_; }
    const PathScreen& path_screen() const { return screen_; }
    bool wants_stacks() const { return wants_stacks_; }
    bool wants_environment() const { return wants_environment_; }
    bool wants_exe_versions() const { return wants_exe_versions_; }

  private:
    EBPF_LOADER_LOCAL void select_numbers(const SyscallRow& call);
    EBPF_LOADER_LOCAL void select_ipc(const SyscallRow& call);
    EBPF_LOADER_LOCAL void select_socketcall(const SyscallRow& call);
    EBPF_LOADER_LOCAL void select_execve();
    EBPF_LOADER_LOCAL void select_transfer(const SyscallRow& call);
    EBPF_LOADER_LOCAL uint16_t row_of_other(int abi, int number);

    std::map<uint16_t, ebt_plan> plans_;
    std::map<uint32_t, ebt_numbers> numbers_;
    PathScreen screen_;
    std::vector<ebt_endpoint> endpoints_; ///< whose transfers are selected
    bool wants_stacks_ = false;
    bool wants_environment_ = false;
    bool wants_exe_versions_ = false;
    uint16_t next_row_ = 0; ///< of the next number unknown to the table; 0: none yet
    std::map<std::pair<int, int>, uint16_t> other_rows_; ///< of those numbers, by ABI and number
};

} // namespace ebpf_loader

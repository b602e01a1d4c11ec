// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/loaded_tier.hpp"

namespace ebpf_loader {

Hooks hooks_for(const Selection& selection) {
    Hooks hooks;
    hooks.endpoints = selection.endpoints().size();
    hooks.sock_states = hooks.endpoints != 0;
    hooks.user_stacks = selection.wants_stacks();
    hooks.environment = selection.wants_environment();
    hooks.exe_versions = selection.wants_exe_versions();
    hooks.enter = selection.needs_enter();
    hooks.screens = !selection.path_screen().empty();
    hooks.sharing = !selection.numbers().empty();
    for (const auto& [row, plan] : selection.plans()) {
        hooks.exec_args = hooks.renames |= (plan.flags & EBT_PLAN_EXEC) != 0;
        hooks.witnesses |= plan.witness;
        hooks.fork |= row == EBT_ROW_FORK;
        hooks.exec |= row == EBT_ROW_EXEC;
        hooks.exit |=
            row == EBT_ROW_EXIT || ((plan.flags & EBT_PLAN_NO_RETURN) && !(plan.flags & EBT_PLAN_ENTER));
    }
    return hooks;
}

} // namespace ebpf_loader

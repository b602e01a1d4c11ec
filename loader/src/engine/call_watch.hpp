// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include <ebpf_loader/engine.hpp>

#include "loader/src/load/loaded_tier.hpp"

namespace ebpf_loader {

/// Does any process under `proc`, a /proc, have a seccomp filter or a tracer? The caller and its own children
/// do not count, such as helpers that gave up their rights: should a filter answer a call of theirs, its
/// record will tell.
bool is_anyone_supervised(const std::string& proc);

/// Decides when the starts of calls are watched: a hook on each call of the machine costs too much to
/// have where nobody could answer calls in the kernel's place.
class CallWatch {
  public:
    using Log = std::function<void(std::string_view)>;

    /// Of the options, what is watched, the log and where the machine's processes are.
    CallWatch(LoadedTier& tier, const Offsets& offsets, const EngineOptions& options);

    /// When the other hooks are attached. Where no call is selected there is nothing to watch.
    void start(ebt_settings& settings);
    /// ebt_header.execution of a record.
    void saw(uint8_t execution) { is_needed_ |= (execution & EBT_UNPROVEN) != 0; }
    /// After records. True: the settings have changed.
    bool follow(ebt_settings& settings);
    /// follow() may still attach a hook.
    bool may_begin() const { return is_possible_ && !is_on_; }

  private:
    bool begin(ebt_settings& settings, std::string_view why);

    LoadedTier& tier_;
    const WatchCalls wanted_;
    const std::string proc_;
    const Log log_;
    bool is_possible_;
    bool is_needed_ = false;
    bool is_on_ = false;
};

} // namespace ebpf_loader

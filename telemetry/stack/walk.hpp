// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/elf/elf.hpp"
#include "telemetry/elf/work_budget.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/stack/asked_code.hpp"
#include "telemetry/stack/call_stack.hpp"
#include "telemetry/stack/code_map.hpp"
#include "telemetry/stack/known_code.hpp"
#include "telemetry/stack/unwinder.hpp"

namespace telemetry {

/// What one stack, and one look into one file for it, may cost.
struct StackLimits {
    Work stack = {.reads = 4096, .bytes = 16u << 20, .entries = 800'000};
    Work headers = {.reads = 256, .bytes = 1u << 20, .entries = 16'384};
    Work unwinding = {.reads = 512, .bytes = 4u << 20, .entries = 200'000};
    Work symbols = {.reads = 2048, .bytes = 14u << 20, .entries = 650'000};
    size_t frames = 64;
};

/// One stack: the files that its functions are in are opened once. First the way up, then the names, of all
/// functions of a file at once.
class StackWalk {
  public:
    StackWalk(const StackLimits& limits, AskedCode& code, KnownCode& known, WorkBudget& budget)
        : limits_(limits), code_(code), known_(known), budget_(budget) {}

    CallStack run(const UserStack& stack);
    /// Of each frame. Null: it is in none.
    const std::vector<const CodeRange*>& ranges() const { return ranges_; }

  private:
    struct Opened {
        std::optional<FileIdentity> identity;
        std::optional<ByteSource> bytes; ///< until it is read
        std::optional<ElfFile> elf;
        bool is_too_costly = false;
    };
    struct Found { ///< a frame's place in its file
        Opened* file = nullptr;
        uint64_t offset = 0;
        uint64_t behind = 0; ///< from the place to the frame's address
        bool is_new = false; ///< not known before
        CodePlace place;
    };

    Found find(const CodeRange* range, const Unwinder& unwinder);
    CodePlace look(Opened& file, uint64_t offset);
    StackEnd step(Unwinder& unwinder, const Found& found, const CodeRange* range);
    Opened* open(const CodeRange& range);
    const ElfFile* load(Opened& file);
    void find_names();
    void find_names(Opened& file, const std::vector<Found*>& places);
    void put_names(std::vector<StackFrame>& frames);
    std::string build_id_of(Opened& file);
    bool is_refused(const Opened& file, KnownCode::Part part) const;
    void judge(Opened& file, KnownCode::Part part, const WorkBudget::Operation& operation);

    const StackLimits& limits_;
    AskedCode& code_;
    KnownCode& known_;
    WorkBudget& budget_;
    bool is_guess_ = false;
    std::map<const CodeRange*, Opened> opened_;
    std::vector<Found> found_; ///< of each frame
    std::vector<const CodeRange*> ranges_;
};

} // namespace telemetry

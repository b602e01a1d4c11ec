// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>

#include "telemetry/elf/byte_source.hpp"
#include "telemetry/helper/channel.hpp"
#include "telemetry/stack/code_files.hpp"
#include "telemetry/stack/code_map.hpp"

namespace telemetry {

/// The other end is gone, or says what it should not.
struct ChannelBroken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What the process executes whose stack the helper goes up, as the program tells it: the helper can open
/// nothing itself.
class AskedCode {
  public:
    /// Both have to live longer. The work for the answers is charged to the budget.
    AskedCode(Channel& channel, bool is_whole, WorkBudget& budget)
        : channel_(channel), is_whole_(is_whole), budget_(budget) {}

    /// What is at the address; null: no code. Throws ChannelBroken.
    const CodeRange* find(uint64_t address);
    /// The process may execute more than the program could read.
    bool is_whole() const { return is_whole_; }
    /// The how manieth it was that was found.
    uint32_t number_of(const CodeRange& range) const;

    struct Bytes {
        std::optional<ByteSource> source;
        std::optional<FileIdentity> identity;
    };
    /// Of a range that find() gave, once.
    Bytes take(const CodeRange& range);

  private:
    struct Place {
        CodeRange range;
        Bytes bytes;
    };
    const CodeRange* ask(uint64_t address);

    Channel& channel_;
    bool is_whole_;
    WorkBudget& budget_;
    std::deque<Place> places_; ///< they stay where they are
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "telemetry/elf/unwind_table.hpp"
#include "telemetry/stack/code_files.hpp"

namespace telemetry {

/// What is known of a place in a file.
struct CodePlace {
    std::optional<uint64_t> address; ///< in the file's own terms
    bool is_32_bits = false;
    std::optional<UnwindRules> rules;
    std::string symbol; ///< demangled
    uint64_t symbol_offset = 0;
    bool is_too_costly = false; ///< more might be known if it cost less
};

/// What was found out about files, for those who come again; and which cost too much to find out more. Its
/// memory is bounded: when it is full it forgets all, and what is needed comes again.
class KnownCode {
  public:
    struct Limits {
        size_t bytes = 4u << 20; ///< of places
        size_t files = 4096;
    };
    enum class Part : uint8_t { headers, unwinding, symbols, build_id };

    KnownCode() : KnownCode(Limits()) {}
    explicit KnownCode(const Limits& limits) : limits_(limits) {}

    const CodePlace* find(const FileIdentity& file, uint64_t offset) const;
    void keep(const FileIdentity& file, uint64_t offset, const CodePlace& place);

    const std::string* find_build_id(const FileIdentity& file) const;
    void keep_build_id(const FileIdentity& file, const std::string& id);

    /// Looking into this part of the file cost more than it may.
    void refuse(const FileIdentity& file, Part part);
    bool is_refused(const FileIdentity& file, Part part) const { return refused_.contains({file, part}); }

    uint64_t refusals() const { return refusals_; }
    size_t bytes() const { return bytes_; }

  private:
    Limits limits_;
    std::map<std::pair<FileIdentity, uint64_t>, CodePlace> places_;
    std::map<FileIdentity, std::string> build_ids_;
    std::set<std::pair<FileIdentity, Part>> refused_;
    size_t bytes_ = 0; ///< of places_
    uint64_t refusals_ = 0;
};

} // namespace telemetry

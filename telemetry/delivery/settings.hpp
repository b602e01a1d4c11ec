// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/base/text/ini.hpp"

namespace telemetry {

/// The options of one [output.NAME], with their values checked: each throws ebpf_loader::Error(usage) with
/// file and line.
class Settings {
  public:
    /// `host_root`: before the machine's "/etc/passwd".
    Settings(std::string file, IniSection section, std::string host_root = "")
        : file_(std::move(file)), section_(std::move(section)), host_root_(std::move(host_root)) {}

    const IniSection& section() const { return section_; }
    const std::string& host_root() const { return host_root_; }
    bool has(std::string_view key) const { return find(key); }
    [[noreturn]] void refuse(std::string_view key, const std::string& why) const;
    /// Of the section as a whole.
    [[noreturn]] void refuse(const std::string& why) const;

    /// Empty when it is not given; it cannot be given empty.
    std::string text(std::string_view key) const;
    std::string required(std::string_view key) const;
    /// Bytes, "64M".
    size_t size(std::string_view key, size_t usual, size_t least, size_t most) const;
    uint64_t number(std::string_view key, uint64_t usual, uint64_t least, uint64_t most) const;
    /// "90", "90s", "15m", "24h", "7d", "200ms"
    std::chrono::milliseconds time(std::string_view key, std::chrono::milliseconds usual) const;
    bool flag(std::string_view key, bool usual) const;
    /// Octal, "0640".
    std::optional<uint32_t> mode(std::string_view key) const;
    /// One of the choices; the first is the usual one.
    size_t choice(std::string_view key, std::initializer_list<std::string_view> choices) const;
    /// Names with commas between them.
    std::vector<std::string> list(std::string_view key) const;
    /// Begins with a slash.
    std::string path(std::string_view key) const;

    /// The first line of a file that nobody but its owner may write to, such as a token; empty when the
    /// option is not given.
    std::string secret(std::string_view key) const;

  private:
    const IniEntry* find(std::string_view key) const;

    std::string file_;
    IniSection section_;
    std::string host_root_;
};

} // namespace telemetry

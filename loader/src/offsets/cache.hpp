// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <ebpf_loader/offsets.hpp>

namespace ebpf_loader {

/// Offsets that were discovered, kept from start to start: one file a kernel build.
class OffsetCache {
  public:
    using Log = std::function<void(std::string_view)>;

    /// `kernel` is what identifies the build: what /proc/version says.
    OffsetCache(std::string folder, std::string kernel, Log log);
    /// For the running kernel, under /var/cache.
    explicit OffsetCache(Log log);

    const std::string& file() const { return file_; }
    /// What is kept for this very kernel; nullopt when nothing is, or nothing that can be trusted.
    std::optional<Offsets> read() const;
    /// Keeps them. A failure is a line in the log: the next start discovers again.
    void write(const Offsets& offsets) const;

  private:
    std::string header() const;
    void say(const std::string& line) const {
        if (log_)
            log_(line);
    }

    std::string folder_, kernel_, file_;
    Log log_;
};

} // namespace ebpf_loader

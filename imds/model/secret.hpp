// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace telemetry::imds {

/// The right to read a Secret. Nobody else can make one, so that text off the wire reaches
/// neither a formatter nor a log by oversight: it does not compile.
class Clearance {
    friend class Redactor;   ///< reads all, lets out what the allow-list has
    friend class UnsafeView; ///< what --unsafe asked for
    Clearance() {}
};

/// Bytes of a request or response that may hold credentials. Its length may be told.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}

    size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    void append(std::string_view bytes) { bytes_.append(bytes); }

    std::string_view open(const Clearance&) const { return bytes_; }

  private:
    std::string bytes_;
};

} // namespace telemetry::imds

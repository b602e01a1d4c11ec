// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace telemetry::imds {

/// The right to read a Secret. Only its friends can make one, so code that writes bytes of a connection to an
/// output or a log by mistake does not compile.
class SecretAccess {
    friend class Redactor;    ///< reads them, and makes readings of what is on the allow-list
    friend class ReadingPart; ///< carries readings from one process to the other
    friend class EventMaker;  ///< makes readings public, without the secrets that are known
    friend class UnsafeView;  ///< reports everything, for --unsafe
    SecretAccess() = default;
};

/// Bytes of a request or response that may hold credentials. Its length may be reported.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}

    size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    void append(std::string_view bytes) { bytes_.append(bytes); }

    std::string_view open(const SecretAccess&) const { return bytes_; }

  private:
    std::string bytes_;
};

} // namespace telemetry::imds

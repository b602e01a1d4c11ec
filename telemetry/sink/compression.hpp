// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace telemetry {

enum class Coding : uint8_t { none, gzip, zstd };

/// "", ".gz", ".zst"
std::string_view suffix_of(Coding coding);

/// Compresses streams, each piece by piece; what is put behind the last piece begins the next one.
class Compressor {
  public:
    virtual ~Compressor() = default;
    /// Appends what is ready. False when there is no memory for it.
    virtual bool put(std::string_view bytes, bool is_last, std::string& out) = 0;

    /// Null when there is no memory for it, and for Coding::none.
    static std::unique_ptr<Compressor> make(Coding coding);
};

/// All at once. Empty when there is no memory for it, and for Coding::none.
std::string compressed(Coding coding, std::string_view bytes);

} // namespace telemetry

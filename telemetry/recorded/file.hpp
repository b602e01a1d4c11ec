// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace telemetry {

/// Lines of a file that an output wrote: as they are, or compressed by gzip or zstd, of one member or
/// several.
class RecordedFile {
  public:
    /// Longer lines are no events: ours have at most a few hundred thousand bytes.
    static constexpr size_t longest_line = 16 << 20;

    /// "-" is standard input. Throws ebpf_loader::Error(usage) if it cannot be read.
    explicit RecordedFile(std::string path);
    ~RecordedFile();

    /// The next line without its end, valid until the next call; false at the end of the file. Throws
    /// ebpf_loader::Error(usage) if the file cannot be read or decompressed, or a line is too long.
    bool next(std::string_view& line);

    const std::string& path() const { return path_; }
    uint64_t line_number() const { return line_number_; } ///< of the line that next() gave, from 1
    bool is_unfinished() const { return is_unfinished_; } ///< was that line the last, without a line's end?

    /// Bytes as they are without compression.
    class Bytes {
      public:
        virtual ~Bytes() = default;
        /// At most `size` bytes into `to`; 0 at the end. Throws std::runtime_error with the reason.
        virtual size_t read(char* to, size_t size) = 0;
    };

  private:
    bool fill();

    std::string path_;
    std::unique_ptr<Bytes> bytes_;
    std::string buffer_;
    size_t begin_ = 0; ///< of what was not given yet
    uint64_t line_number_ = 0;
    bool is_unfinished_ = false;
};

} // namespace telemetry

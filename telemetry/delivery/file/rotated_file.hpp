// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/delivery/file/rotation.hpp"
#include "telemetry/sink/stream.hpp"
#include "telemetry/spool/batch.hpp"

namespace telemetry {

struct RotatedFileOptions {
    std::string path;
    mode_t mode = 0600;         ///< of a file that is made
    std::optional<uid_t> owner; ///< of every file that is opened
    std::optional<gid_t> group;
    uint64_t rotate_size = 0;                  ///< bytes; 0: whatever its size
    std::chrono::milliseconds rotate_every{0}; ///< 0: whatever its age
    unsigned keep = 5;
    Coding coding = Coding::none;
};

/// Appends to a file, and begins a new one when it is too large or too old. It never leads through a symbolic
/// link.
class RotatedFile {
  public:
    /// Throws ebpf_loader::Error.
    explicit RotatedFile(const RotatedFileOptions& options);

    void write(const Batch& batch);
    /// Pushes out what a full disk held up, and looks at the file's age.
    void tick();
    bool compress_some() { return old_.compress_some(); }
    /// Opens the path anew. False when it cannot be opened: the old file stays in use, and error() says why.
    bool reopen();
    /// What cannot be written now is lost.
    void finish();

    uint64_t waiting() const { return sink_ ? sink_->waiting() : 0; }
    uint64_t lost() const { return lost_ + (sink_ ? sink_->lost() : 0); }
    uint64_t lost_lines() const { return lost_lines_ + (sink_ ? sink_->lost_lines() : 0); }
    std::string error() const { return error_.empty() && sink_ ? std::string(sink_->error()) : error_; }

  private:
    bool use(ebpf_loader::UniqueFd fd);
    ebpf_loader::UniqueFd open_path();
    void rotate();
    uint64_t size() const;
    bool is_old() const;

    const RotatedFileOptions options_;
    OldFiles old_;
    ebpf_loader::UniqueFd fd_;
    std::unique_ptr<StreamSink> sink_;
    std::chrono::system_clock::time_point born_;
    uint64_t lost_ = 0, lost_lines_ = 0; ///< of files before this one
    std::string error_;                  ///< of opening and rotating
};

} // namespace telemetry

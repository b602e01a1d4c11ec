// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <sys/types.h>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/sink/compression.hpp"

namespace telemetry {

/// The old ones of a file, PATH.1, PATH.2 and so on, the higher the older. Of the second on they are
/// compressed; the first stays as it is for who still reads it.
class OldFiles {
  public:
    /// Keeps so many.
    OldFiles(std::string path, unsigned keep, Coding coding);
    ~OldFiles();
    OldFiles(const OldFiles&) = delete;
    OldFiles& operator=(const OldFiles&) = delete;

    /// Makes PATH the first of the old, by way of PATH.0. False, with errno, when it cannot be renamed: all
    /// stays what it is.
    bool shift();

    /// Compresses a piece of one that is not yet. False when there is nothing left to do.
    bool compress_some();
    /// Goes on with those that an earlier run left.
    void look_for_work() { may_have_work_ = true; }

  private:
    struct Job;

    std::string name(unsigned number, Coding coding = Coding::none) const;
    void number_anew();
    bool begin();
    bool finish();
    void abandon();

    const std::string path_;
    const unsigned keep_;
    const Coding coding_;
    bool may_have_work_ = true;
    std::unique_ptr<Job> job_;
};

} // namespace telemetry

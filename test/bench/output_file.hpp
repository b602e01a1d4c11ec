// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace bench {

/// A file that a subject writes its events to. Counts the lines, and those that have a marker
/// in them. What is counted is given back to the file system once the file is large, so that
/// a fast writer does not fill the memory that a tmpfs is made of.
class OutputFile {
  public:
    explicit OutputFile(const std::string& path, std::string marker);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    const std::string& path() const { return path_; }
    /// Has the text come yet? Looks at what was not counted.
    bool contains(const std::string& text) const;

    struct Count {
        uint64_t lines = 0;
        uint64_t marked = 0;
        uint64_t bytes = 0;
    };
    /// Counts what is left; the file is empty then.
    Count take();
    /// Counts what has come by now and was not counted; goes on.
    Count take_so_far();

  private:
    void keep_small();
    void start();
    void stop();
    void count_to(uint64_t end);
    void count(const char* data, size_t size);

    std::string path_;
    std::string marker_;
    int fd_ = -1;
    uint64_t counted_ = 0; ///< bytes
    uint64_t most_;        ///< uncounted bytes that may wait
    std::string line_;     ///< begun in what was read before
    Count count_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace bench

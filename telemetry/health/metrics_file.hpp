// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace telemetry {

/// A file that is replaced as a whole: who reads it finds all of one page, or all of another. A thread of its
/// own waits for the disk.
class MetricsFile {
  public:
    /// `folder_needs_rights`: the folder, or the file, is another user's.
    MetricsFile(std::string path, bool folder_needs_rights);
    ~MetricsFile();
    MetricsFile(const MetricsFile&) = delete;
    MetricsFile& operator=(const MetricsFile&) = delete;

    /// Takes the page; one that was not written yet gives way to it.
    void put(std::string page);
    /// Why the last page could not be written, once for each reason; nothing if all is well.
    std::optional<std::string> take_error();

  private:
    void run();
    void note(const std::string& error);

    const std::string path_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::string> page_;
    std::string error_;
    bool is_error_new_ = false;
    bool is_ending_ = false;
    std::thread thread_;
};

/// Writes the file anew, readable for all, under another name first. Returns why not; empty when it is
/// written.
std::string replace_file(const std::string& path, const std::string& text);

} // namespace telemetry

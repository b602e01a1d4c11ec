// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/sink/sink.hpp"

namespace telemetry {

struct StreamOptions {
    size_t buffer_bytes = 1024 * 1024; ///< what may wait for a slow reader or a full disk
    /// How long one call may wait for a reader that takes nothing. Once it was waited for in
    /// vain, nothing is waited for until it takes something again.
    std::chrono::milliseconds patience{1000};
};

/// Lines on their way to a descriptor, written by who calls, who may have to wait (AsideSink does it for
/// those who must not). They wait in a queue of bounded size; when that is full since the reader takes
/// nothing or the disk has no room, new lines are lost and counted. A line that was begun is finished before
/// another, or taken back from the file: none is ever cut.
class StreamSink final : public Sink {
  public:
    /// `path` is empty for a descriptor of somebody else's.
    StreamSink(std::string name, std::string path, const StreamOptions& options);
    ~StreamSink() override;
    StreamSink(const StreamSink&) = delete;
    StreamSink& operator=(const StreamSink&) = delete;

    /// Throws ebpf_loader::Error.
    void attach(int fd);
    void open();

    /// Nothing waits for the reader.
    bool is_empty() const { return queue_.empty(); }
    /// Events that do.
    uint64_t waiting() const;
    void set_patience(std::chrono::milliseconds patience) { options_.patience = patience; }
    /// Of what it is given nothing waits to be more: for who gives it much at a time, and when it is empty.
    void write_at_once() { options_.buffer_bytes = 0; }
    /// It is a terminal, a pipe or a socket: writing may take as long as somebody else likes.
    bool has_reader() const;
    int descriptor() const { return fd_; }

    void write(std::string_view lines, uint64_t events) override;
    void flush() override;
    void finish() override;
    uint64_t lost() const override { return lost_; }
    uint64_t lost_lines() const { return lost_lines_; } ///< whatever they are
    uint64_t queued_bytes() const override { return queue_.size(); }
    bool broken() const override { return broken_; }
    std::string_view error() const override { return error_; }
    bool can_reopen() const override { return !path_.empty(); }
    std::string_view path() const override { return real_path_; }
    bool reopen() override;

  private:
    using Clock = std::chrono::steady_clock;
    enum class Kind { file, socket, other };

    void use(int fd, ebpf_loader::UniqueFd owned);
    /// Pushes the queue, and forgets what went.
    void drain();
    /// Writes what can be written now. Returns how much that was.
    size_t push(std::string_view bytes);
    bool wait_until_writable(Clock::time_point deadline);
    ssize_t write_some(const char* bytes, size_t count);
    void note_written(std::string_view bytes);
    /// Takes what was sent from the queue.
    void forget(size_t bytes);
    /// These return how many of the bytes just sent were taken back.
    size_t fail(int error_number, size_t sent);
    size_t take_back_fragment(size_t sent);
    void discard_queue();
    void set_error(std::string_view why);
    ebpf_loader::UniqueFd open_path() const;
    ebpf_loader::UniqueFd open_anew() const;

    const std::string name_;
    const std::string path_;
    std::string real_path_; ///< without the symbolic links that led to the file at first
    StreamOptions options_;
    ebpf_loader::UniqueFd owned_;
    int fd_ = -1;
    Kind kind_ = Kind::other;
    bool may_block_ = false; ///< the descriptor is shared with others, who rely on it to block

    /// What one call of write() gave, or what is left of it.
    struct Batch {
        size_t bytes;
        uint64_t events;
    };

    std::string queue_;
    std::vector<Batch> batches_; ///< what the queue is made of
    size_t fragment_ = 0;        ///< bytes written since the last end of a line
    bool stalled_ = false;
    bool broken_ = false;
    bool cut_ = false; ///< the end of a line was given up
    uint64_t lost_ = 0, lost_lines_ = 0;
    std::string error_;
};

/// To a descriptor that is open already and stays so: standard output, whatever that is (file,
/// pipe, terminal, socket). `name` is for error(). Throws ebpf_loader::Error when it is closed.
///
/// This and the next make the process ignore SIGPIPE and SIGXFSZ, unless it handles them.
std::unique_ptr<StreamSink> make_stream_sink(int fd, const std::string& name,
                                             const StreamOptions& options = {});

/// To the end of a file, which is made, for its owner alone, if there is none.
/// Throws ebpf_loader::Error.
std::unique_ptr<StreamSink> make_file_sink(const std::string& path, const StreamOptions& options = {});

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/recorded/file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"

namespace telemetry {

namespace {

constexpr size_t piece = 256 * 1024;

/// The file itself. What was looked at to see what it is comes first again.
class Plain final : public RecordedFile::Bytes {
  public:
    explicit Plain(const std::string& path)
        : file_(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (file_ < 0)
            throw std::runtime_error(std::strerror(errno));
    }
    ~Plain() override {
        if (file_ > STDIN_FILENO)
            close(file_);
    }
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;

    std::string_view begins_with() {
        while (begin_.size() < 4) {
            char bytes[4];
            const size_t count = read_file(bytes, sizeof(bytes) - begin_.size());
            if (count == 0)
                break;
            begin_.append(bytes, count);
        }
        return begin_;
    }

    size_t read(char* to, size_t size) override {
        if (begin_.empty())
            return read_file(to, size);
        const size_t count = begin_.copy(to, size);
        begin_.erase(0, count);
        return count;
    }

  private:
    size_t read_file(char* to, size_t size) const {
        ssize_t count;
        do {
            count = ::read(file_, to, size);
        } while (count < 0 && errno == EINTR);
        if (count < 0)
            throw std::runtime_error(std::strerror(errno));
        return static_cast<size_t>(count);
    }

    int file_;
    std::string begin_;
};

class Gunzip final : public RecordedFile::Bytes {
  public:
    explicit Gunzip(std::unique_ptr<Plain> from) : from_(std::move(from)) {
        constexpr int gzip_window = 15 + 16; // 16: with gzip's header
        if (inflateInit2(&stream_, gzip_window) != Z_OK)
            throw std::bad_alloc();
    }
    ~Gunzip() override { inflateEnd(&stream_); }
    Gunzip(const Gunzip&) = delete;
    Gunzip& operator=(const Gunzip&) = delete;

    size_t read(char* to, size_t size) override {
        stream_.next_out = reinterpret_cast<Bytef*>(to);
        stream_.avail_out = static_cast<uInt>(size);
        while (stream_.avail_out == size) {
            if (stream_.avail_in == 0) {
                stream_.avail_in = static_cast<uInt>(from_->read(in_.data(), in_.size()));
                stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
                if (stream_.avail_in == 0 && is_between_)
                    return 0;
                if (stream_.avail_in == 0)
                    throw std::runtime_error("its compressed data ends too early");
            }
            const int state = inflate(&stream_, Z_NO_FLUSH);
            is_between_ = state == Z_STREAM_END;
            if (is_between_) // another member may follow
                inflateReset(&stream_);
            else if (state != Z_OK)
                throw std::runtime_error("its compressed data is damaged");
        }
        return size - stream_.avail_out;
    }

  private:
    std::unique_ptr<Plain> from_;
    z_stream stream_{};
    std::array<char, piece> in_;
    bool is_between_ = false; ///< of one member's end and the next one's beginning
};

class Unzstd final : public RecordedFile::Bytes {
  public:
    explicit Unzstd(std::unique_ptr<Plain> from) : from_(std::move(from)), context_(ZSTD_createDCtx()) {
        if (!context_)
            throw std::bad_alloc();
    }
    ~Unzstd() override { ZSTD_freeDCtx(context_); }
    Unzstd(const Unzstd&) = delete;
    Unzstd& operator=(const Unzstd&) = delete;

    size_t read(char* to, size_t size) override {
        ZSTD_outBuffer out = {to, size, 0};
        while (out.pos == 0) {
            if (used_.pos == used_.size) {
                used_ = {in_.data(), from_->read(in_.data(), in_.size()), 0};
                if (used_.size == 0 && is_between_)
                    return 0;
                if (used_.size == 0)
                    throw std::runtime_error("its compressed data ends too early");
            }
            const size_t state = ZSTD_decompressStream(context_, &out, &used_);
            if (ZSTD_isError(state))
                throw std::runtime_error("its compressed data is damaged");
            is_between_ = state == 0;
        }
        return out.pos;
    }

  private:
    std::unique_ptr<Plain> from_;
    ZSTD_DCtx* context_;
    std::array<char, piece> in_;
    ZSTD_inBuffer used_ = {in_.data(), 0, 0};
    bool is_between_ = false; ///< of one frame's end and the next one's beginning
};

std::unique_ptr<RecordedFile::Bytes> bytes_of(const std::string& path) {
    auto file = std::make_unique<Plain>(path);
    const std::string_view begin = file->begins_with();
    if (begin.starts_with("\x1f\x8b"))
        return std::make_unique<Gunzip>(std::move(file));
    if (begin == "\x28\xb5\x2f\xfd")
        return std::make_unique<Unzstd>(std::move(file));
    return file;
}

[[noreturn]] void cannot_read(const std::string& path, const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                             "cannot read " + in_quotes(path, 200) + ": " + why);
}

} // namespace

RecordedFile::RecordedFile(std::string path) : path_(std::move(path)) {
    try {
        bytes_ = bytes_of(path_);
    } catch (const std::runtime_error& error) {
        cannot_read(path_, error.what());
    }
}

RecordedFile::~RecordedFile() = default;

bool RecordedFile::fill() {
    buffer_.erase(0, begin_);
    begin_ = 0;
    const size_t had = buffer_.size();
    if (had > longest_line)
        cannot_read(path_, "line " + std::to_string(line_number_ + 1) + " is longer than " +
                               std::to_string(longest_line >> 20) + " MiB: it is not what -f json writes");
    buffer_.resize(had + piece);
    size_t count = 0;
    try {
        count = bytes_->read(buffer_.data() + had, piece);
    } catch (const std::runtime_error& error) {
        cannot_read(path_, std::string(error.what()) + ", after line " + std::to_string(line_number_));
    }
    buffer_.resize(had + count);
    return count != 0;
}

bool RecordedFile::next(std::string_view& line) {
    size_t from = begin_;
    size_t end;
    while ((end = buffer_.find('\n', from)) == std::string::npos) {
        const size_t searched = buffer_.size() - begin_;
        if (fill()) {
            from = searched;
            continue;
        }
        is_unfinished_ = true;
        end = buffer_.size();
        if (end == 0)
            return false;
        break;
    }
    line = std::string_view(buffer_).substr(begin_, end - begin_);
    begin_ = std::min(end + 1, buffer_.size());
    ++line_number_;
    return true;
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/sink/compression.hpp"

#include <array>
#include <zlib.h>
#include <zstd.h>

namespace telemetry {

namespace {

constexpr size_t piece = 64 * 1024;

class Gzip final : public Compressor {
  public:
    Gzip() {
        constexpr int gzip_window = 15 + 16; // 16: with gzip's header
        constexpr int memory_level = 8;
        is_ready_ = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, memory_level,
                                 Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~Gzip() override { deflateEnd(&stream_); }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    bool put(std::string_view bytes, bool is_last, std::string& out) override {
        if (!is_ready_)
            return false;
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
        do {
            stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
            stream_.avail_out = static_cast<uInt>(buffer_.size());
            if (deflate(&stream_, is_last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
                return false;
            out.append(buffer_.data(), buffer_.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
        return !is_last || deflateReset(&stream_) == Z_OK;
    }

  private:
    z_stream stream_{};
    bool is_ready_ = false;
    std::array<char, piece> buffer_;
};

class Zstd final : public Compressor {
  public:
    Zstd() : context_(ZSTD_createCCtx()) {}
    ~Zstd() override { ZSTD_freeCCtx(context_); }
    Zstd(const Zstd&) = delete;
    Zstd& operator=(const Zstd&) = delete;

    bool put(std::string_view bytes, bool is_last, std::string& out) override {
        if (!context_)
            return false;
        ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
        for (;;) {
            ZSTD_outBuffer to = {buffer_.data(), buffer_.size(), 0};
            const size_t left =
                ZSTD_compressStream2(context_, &to, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
            if (ZSTD_isError(left))
                return false;
            out.append(buffer_.data(), to.pos);
            if (is_last ? left == 0 : in.pos == in.size)
                return true;
        }
    }

  private:
    ZSTD_CCtx* context_;
    std::array<char, piece> buffer_;
};

} // namespace

std::string_view suffix_of(Coding coding) {
    constexpr std::string_view suffixes[] = {"", ".gz", ".zst"};
    return suffixes[static_cast<size_t>(coding)];
}

std::unique_ptr<Compressor> Compressor::make(Coding coding) {
    switch (coding) {
    case Coding::gzip:
        return std::make_unique<Gzip>();
    case Coding::zstd:
        return std::make_unique<Zstd>();
    case Coding::none:
        break;
    }
    return nullptr;
}

std::string compressed(Coding coding, std::string_view bytes) {
    std::string out;
    const auto compressor = Compressor::make(coding);
    return compressor && compressor->put(bytes, true, out) ? out : std::string();
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "imds/http/content_coding.hpp"

#include <zlib.h>

#include "imds/http/headers.hpp"

namespace telemetry::imds {
namespace {

class Inflater {
  public:
    explicit Inflater(int window_bits) : is_ready_(inflateInit2(&stream_, window_bits) == Z_OK) {}
    ~Inflater() {
        if (is_ready_)
            inflateEnd(&stream_);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    std::optional<std::string> inflate_all(std::string_view body) {
        if (!is_ready_)
            return std::nullopt;
        std::string plain(most_unpacked, '\0');
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data())); // zlib only reads
        stream_.avail_in = static_cast<uInt>(body.size());
        stream_.next_out = reinterpret_cast<Bytef*>(plain.data());
        stream_.avail_out = static_cast<uInt>(plain.size());
        const int status = inflate(&stream_, Z_SYNC_FLUSH);
        plain.resize(plain.size() - stream_.avail_out);
        if ((status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) || plain.empty())
            return std::nullopt;
        return plain;
    }

  private:
    z_stream stream_ = {};
    const bool is_ready_;
};

} // namespace

BodyCoding parse_coding(std::string_view value) {
    value = trimmed(value);
    if (value.empty() || equals_ignoring_case(value, "identity"))
        return BodyCoding::none;
    if (equals_ignoring_case(value, "gzip") || equals_ignoring_case(value, "x-gzip"))
        return BodyCoding::gzip;
    return equals_ignoring_case(value, "deflate") ? BodyCoding::deflate : BodyCoding::other;
}

std::optional<std::string> unpacked(std::string_view body, BodyCoding coding) {
    constexpr int gzip_alone = 16; // added to the window's bits
    switch (coding) {
    case BodyCoding::none:
        return std::string(body);
    case BodyCoding::gzip:
        return Inflater(MAX_WBITS + gzip_alone).inflate_all(body);
    case BodyCoding::deflate: // with zlib's head, as the standard says, or without, as some servers do
        if (auto plain = Inflater(MAX_WBITS).inflate_all(body))
            return plain;
        return Inflater(-MAX_WBITS).inflate_all(body);
    case BodyCoding::other:
        break;
    }
    return std::nullopt;
}

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#include "loader/src/base/object_bytes.hpp"

#include <gtest/gtest.h>
#include <string>
#include <zlib.h>

using namespace ebpf_loader;

namespace {

std::string gzip(std::string_view text) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string packed(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

std::string loaded(std::string_view packed) {
    const std::vector<char> object = object_to_load(packed);
    return {object.begin(), object.end()};
}

} // namespace

TEST(ObjectBytes, AreUnpackedWhole) {
    std::string text = "\177ELF";
    for (unsigned i = 0; i < 100'000; i++)
        text += static_cast<char>(i * i >> 3);
    EXPECT_EQ(loaded(gzip(text)), text);
}

TEST(ObjectBytes, AreNoneOfWhatIsCut) {
    const std::string packed = gzip(std::string(10'000, 'x'));
    for (size_t size = 0; size < packed.size(); size++)
        EXPECT_EQ(loaded(std::string_view(packed).substr(0, size)), "") << size;
}

TEST(ObjectBytes, AreNoneOfWhatIsChanged) {
    std::string packed = gzip("a text that is packed, twice: a text that is packed");
    for (const size_t at : {0, 20, 30}) { // the header, and what is packed
        std::string changed = packed;
        changed[at] = static_cast<char>(~changed[at]);
        EXPECT_EQ(loaded(changed), "") << at;
    }
}

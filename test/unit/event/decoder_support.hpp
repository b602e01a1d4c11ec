// SPDX-License-Identifier: MIT
// Records for the tests of the decoder, and what became of them.
#pragma once
#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "telemetry/event/decoder.hpp"
#include "test/unit/support/record_builder.hpp"

namespace decoder_test {

using namespace telemetry;

constexpr ebt_inode regular{7, 0, S_IFREG | 0644, 10, 20, 0x800001, 0};

/// A decoded record; the event's views stay valid as long as this does.
struct Decoded {
    explicit Decoded(const RecordBuilder& builder)
        : bytes(builder.bytes()), good(decoder.decode(bytes, event)) {}
    const PathField& path(size_t index = 0) const {
        EXPECT_LT(index, event.paths);
        return event.path.at(index);
    }

    Decoder decoder;
    Event event;
    std::vector<std::byte> bytes;
    bool good;
};

inline RecordBuilder::Detail arg(uint8_t index) {
    return {.arg = index};
}
inline RecordBuilder::Detail failed(uint8_t index, uint8_t status) {
    return {.arg = index, .status = status};
}
inline RecordBuilder::Detail flagged(uint8_t index, uint8_t flags) {
    return {.arg = index, .flags = flags};
}
inline std::string path_bytes(std::string_view path) {
    return RecordBuilder::components(path);
}

/// A failed openat of a name in user memory, seen from /home/me.
inline RecordBuilder named(std::string_view name) {
    RecordBuilder builder("openat");
    builder.header.ret = -2;
    builder.field(EBT_FIELD_CWD, path_bytes("/home/me"));
    builder.field(EBT_FIELD_STRING, name, {.arg = 1, .flags = EBT_USER_MEMORY});
    return builder;
}

inline RecordBuilder executed() {
    RecordBuilder builder("execve");
    builder.header.flags = EBT_IMAGE;
    builder.file(EBT_FIELD_EXE, "/usr/bin/env", {5, 0, S_IFREG | 0755, 0, 0});
    builder.field(EBT_FIELD_IMAGE_ARGV, RecordBuilder::list({"env", "", "a b\n"}),
                  flagged(EBT_ARG_NONE, EBT_USER_MEMORY));
    builder.field(EBT_FIELD_TTY, "pts0");
    return builder;
}

} // namespace decoder_test

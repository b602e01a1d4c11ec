// SPDX-License-Identifier: MIT
#include <ebpf_loader/record_view.hpp>

#include "test/unit/support/record_builder.hpp"

#include <gtest/gtest.h>

namespace ebpf_loader {
namespace {

using namespace std::string_literals;

TEST(RecordView, JoinsComponentsLeafFirst) {
    EXPECT_EQ(RecordView::join(""), "/");
    EXPECT_EQ(RecordView::join("etc\0"s), "/etc");
    EXPECT_EQ(RecordView::join("passwd\0etc\0"s), "/etc/passwd");
    EXPECT_EQ(RecordView::join("no end"), "/no end");
}

TEST(RecordView, FindsFieldsByKindAndArgument) {
    RecordBuilder builder("openat");
    builder.field(EBT_FIELD_CWD, "home\0"s);
    builder.file(EBT_FIELD_FILE, "/etc/passwd", {}, {.arg = EBT_ARG_RET});
    const std::vector<std::byte> bytes = builder.bytes();
    const RecordView view(bytes);
    EXPECT_EQ(view.header().tgid, 100u);
    ASSERT_TRUE(view.find(EBT_FIELD_FILE, EBT_ARG_RET));
    EXPECT_EQ(view.path(*view.find(EBT_FIELD_FILE, EBT_ARG_RET)), "/etc/passwd");
    EXPECT_EQ(view.path(*view.find(EBT_FIELD_CWD)), "/home");
    EXPECT_FALSE(view.find(EBT_FIELD_FILE));
    EXPECT_FALSE(view.find(EBT_FIELD_EXE));
}

TEST(RecordView, GoesOnWithTheCurrentDirectory) {
    RecordBuilder builder("openat");
    builder.field(EBT_FIELD_CWD, "me\0home\0"s);
    builder.file(EBT_FIELD_FILE, "/notes", {}, {.arg = EBT_ARG_RET, .flags = EBT_BELOW_CWD});
    const std::vector<std::byte> bytes = builder.bytes();
    const RecordView view(bytes);
    EXPECT_EQ(view.path(*view.find(EBT_FIELD_FILE, EBT_ARG_RET)), "/home/me/notes");
}

TEST(RecordView, EveryTruncationIsSafe) {
    RecordBuilder builder("openat");
    builder.file(EBT_FIELD_FILE, "/etc/passwd", {}, {.arg = EBT_ARG_RET});
    const std::vector<std::byte> bytes = builder.bytes();
    for (size_t size = 0; size < bytes.size(); ++size) {
        const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
        const RecordView view(cut);
        const auto field = view.find(EBT_FIELD_FILE, EBT_ARG_RET);
        EXPECT_EQ(field ? view.path(*field) : "/etc/passwd", "/etc/passwd") << size; // the end is padding
    }
    RecordView::Field field;
    field.head.kind = EBT_FIELD_FILE;
    field.content = "short";
    EXPECT_EQ(RecordView(bytes).path(field), "/");
}

} // namespace
} // namespace ebpf_loader

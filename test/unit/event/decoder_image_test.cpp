// SPDX-License-Identifier: MIT
// What comes with the image of a process.
#include <gtest/gtest.h>

#include "test/unit/event/decoder_support.hpp"

namespace {

using namespace decoder_test;

TEST(DecoderImage, Cgroup) {
    RecordBuilder builder = executed();
    builder.field(EBT_FIELD_CGROUP, RecordBuilder::components("/system.slice/cron.service"),
                  arg(EBT_CGROUP_UNIFIED));
    builder.field(EBT_FIELD_CGROUP, RecordBuilder::components("/deep"),
                  {.arg = EBT_CGROUP_CONTROLLER, .status = EBT_TRUNCATED, .flags = EBT_AT_LEAST});
    const Decoded exec(builder);
    EXPECT_EQ(exec.event.cgroup.bytes, "/system.slice/cron.service");
    EXPECT_EQ(exec.event.cgroup.status, Status::ok);
    EXPECT_EQ(exec.event.controller_cgroup.bytes, "deep");
    EXPECT_EQ(exec.event.controller_cgroup.status, Status::truncated);
    RecordBuilder root = executed();
    root.field(EBT_FIELD_CGROUP, "", arg(EBT_CGROUP_UNIFIED));
    EXPECT_EQ(Decoded(root).event.cgroup.bytes, "/");
    EXPECT_EQ(Decoded(executed()).event.cgroup.status, Status::absent);
    RecordBuilder unknown = executed();
    unknown.field(EBT_FIELD_CGROUP, "", arg(2));
    EXPECT_EQ(Decoded(unknown).decoder.defects(Defect::field_arg), 1u);
}

TEST(DecoderImage, VersionOfTheExecutable) {
    EXPECT_FALSE(Decoded(executed()).event.image.exe_version.known());
    RecordBuilder builder = executed();
    builder.field(EBT_FIELD_EXE_VERSION,
                  RecordBuilder::bytes_of(ebt_file_version{1000, 1'700'000'000, 5 | 1u << 31, 0x800001}));
    const FileVersion expected{5, 1000, 1'700'000'000, 5, 0x800001};
    EXPECT_EQ(Decoded(builder).event.image.exe_version, expected);
    RecordBuilder cut = executed();
    cut.field(EBT_FIELD_EXE_VERSION, "short");
    EXPECT_EQ(Decoded(cut).decoder.defects(Defect::field_payload), 1u);
}

} // namespace

// SPDX-License-Identifier: MIT
// Which files may be opened: those of file systems that answer.
#include <sys/sysmacros.h>

#include <gtest/gtest.h>

#include "telemetry/stack/mounts.hpp"

namespace stack_test {

using namespace telemetry;

namespace {

const std::string table_text =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 22 0:40 / /mnt/fuse rw - fuse.sshfs host: rw,user_id=0\n"
    "31 22 0:41 / /mnt/a\\040b rw - xfs /dev/sdb rw\n"
    "32 22 0:50 / /merged1 rw - overlay overlay "
    "rw,lowerdir=/var/l/1:/var/l/2,upperdir=/var/u,workdir=/var/w\n"
    "33 22 0:51 / /merged2 rw - overlay overlay rw,lowerdir=/var/l/1:/mnt/fuse/x,upperdir=/var/u\n"
    "34 22 0:52 / /merged3 rw - overlay overlay rw,lowerdir=l/1:l/2\n"
    "35 22 0:53 / /merged4 rw - overlay overlay rw,lowerdir=/mnt/a\\040b/x::/var/data\n"
    "36 22 0:54 / /merged5 rw - overlay overlay rw\n"
    "37 22 0:55 / /merged6 rw - overlay overlay rw,lowerdir=/merged1/x\n"
    "38 22 0:56 / /merged7 rw - overlay overlay rw,lowerdir+=/var/l/1,lowerdir+=/mnt/fuse\n"
    "39 22 0:57 / /merged8 rw - overlay overlay rw,lowerdir=/mnt/fused\n"
    "no mount\n"
    "40 22 x:1 / /wrong rw - ext4 /dev/x rw\n";

bool has_local_layers(MountTable& table, unsigned minor) {
    const MountTable::Mount* const mount = table.find_device(makedev(0, minor));
    EXPECT_TRUE(mount);
    return mount && table.has_local_layers(*mount);
}

TEST(StackMounts, Finds) {
    MountTable table(table_text);
    EXPECT_EQ(table.size(), 11U);
    ASSERT_TRUE(table.find_id(30));
    EXPECT_EQ(table.find_id(30)->type, "fuse.sshfs");
    EXPECT_EQ(table.find_id(40), nullptr);
    ASSERT_TRUE(table.find_device(makedev(8, 1)));
    EXPECT_EQ(table.find_device(makedev(8, 1))->type, "ext4");
    EXPECT_EQ(table.find_device(0), nullptr);
    EXPECT_EQ(MountTable().find_id(0), nullptr);
}

TEST(StackMounts, LocalFileSystems) {
    EXPECT_TRUE(is_local_file_system("ext4"));
    EXPECT_TRUE(is_local_file_system("ext4", 0xef53));
    EXPECT_FALSE(is_local_file_system("ext4", 0x65735546)) << "FUSE";
    EXPECT_TRUE(is_local_file_system("btrfs", 0xffffffff9123683e)) << "as a signed word has it";
    for (const char* type : {"fuse", "fuse.sshfs", "fuseblk", "nfs", "nfs4", "cifs", "9p", "virtiofs", "ceph",
                             "proc", "sysfs", "autofs", "", "ext"})
        EXPECT_FALSE(is_local_file_system(type)) << type;
}

TEST(StackMounts, LayersOfOverlays) {
    MountTable table(table_text);
    EXPECT_TRUE(has_local_layers(table, 50));
    EXPECT_FALSE(has_local_layers(table, 51)) << "a layer in user space";
    EXPECT_FALSE(has_local_layers(table, 52)) << "relative to nobody knows what";
    EXPECT_TRUE(has_local_layers(table, 53)) << "data of layers, and a name with a space";
    EXPECT_FALSE(has_local_layers(table, 54)) << "it does not say";
    EXPECT_FALSE(has_local_layers(table, 55)) << "an overlay over another";
    EXPECT_FALSE(has_local_layers(table, 56));
    EXPECT_TRUE(has_local_layers(table, 57)) << "the name only begins alike";
    MountTable part(table_text, false);
    EXPECT_FALSE(has_local_layers(part, 50)) << "another mount may lie over its layers";
    table.assign("30 22 0:50 / /var/l rw - fuse x rw\n" + table_text, true);
    EXPECT_EQ(table.find_device(makedev(0, 50))->type, "fuse");
}

} // namespace
} // namespace stack_test

// SPDX-License-Identifier: MIT
#include "loader/src/offsets/cache.hpp"

#include "test/unit/support/temporary_folder.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace ebpf_loader;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Sound offsets, each different from the others of its structure.
Offsets sample() {
    Offsets offsets;
    for (size_t row = 0; row < offset_rows().size(); row++)
        offsets.set(row, static_cast<uint32_t>(row) * 8);
    const uint32_t uid = 4;
    offsets.set(*Offsets::find("cred.uid"), uid);
    offsets.set(*Offsets::find("cred.fsgid"), uid + 28);
    offsets.release = "4.14.0-test";
    return offsets;
}

class Cache : public testing::Test {
  protected:
    OffsetCache cache(const std::string& kernel = "Linux version 4.14.0-test (a@b) #1 SMP") {
        return OffsetCache(folder_, kernel, [this](std::string_view line) { log_.emplace_back(line); });
    }
    TemporaryFolder temporary_;
    std::string folder_ = temporary_.path() + "/cache/ebpf_telemetry";
    std::vector<std::string> log_;
};

TEST_F(Cache, GivesBackWhatItWasGiven) {
    EXPECT_FALSE(cache().read());
    EXPECT_THAT(log_, IsEmpty());
    const Offsets offsets = sample();
    cache().write(offsets);
    EXPECT_THAT(log_, IsEmpty());
    const auto kept = cache().read();
    ASSERT_TRUE(kept);
    for (size_t row = 0; row < offset_rows().size(); row++)
        EXPECT_EQ(kept->get(row), offsets.get(row));
    EXPECT_EQ(kept->release, offsets.release);
    EXPECT_THAT(kept->source, HasSubstr(cache().file()));
}

TEST_F(Cache, IsForItsOwnerAlone) {
    cache().write(sample());
    struct stat status {};
    ASSERT_EQ(stat(cache().file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1)
        << "a temporary file is left";
}

TEST_F(Cache, KnowsKernelsOfOneReleaseApart) {
    cache().write(sample());
    EXPECT_FALSE(cache("Linux version 4.14.0-test (a@b) #2 SMP").read());
    EXPECT_THAT(log_, IsEmpty()) << "it is another file";
}

TEST_F(Cache, LooksAtTheKernelInTheFileToo) {
    cache().write(sample());
    const OffsetCache other = cache("Linux version 4.14.0-test (a@b) #2 SMP");
    std::filesystem::rename(cache().file(), other.file());
    EXPECT_FALSE(other.read());
    EXPECT_THAT(log_, ElementsAre(HasSubstr("for another kernel")));
}

TEST_F(Cache, TrustsNoFileThatOthersCanChange) {
    cache().write(sample());
    ASSERT_EQ(chmod(cache().file().c_str(), 0666), 0);
    EXPECT_FALSE(cache().read());
    ASSERT_EQ(chmod(cache().file().c_str(), 0600), 0);
    ASSERT_EQ(chmod(folder_.c_str(), 0777), 0);
    EXPECT_FALSE(cache().read());
    EXPECT_THAT(log_, ElementsAre(HasSubstr("can change it"), HasSubstr("can change it")));
    ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
    EXPECT_TRUE(cache().read());
}

TEST_F(Cache, FollowsNoLink) {
    cache().write(sample());
    std::filesystem::rename(cache().file(), folder_ + "/elsewhere");
    std::filesystem::create_symlink("elsewhere", cache().file());
    EXPECT_FALSE(cache().read());
}

TEST_F(Cache, ADamagedFileIsNotUsed) {
    cache().write(sample());
    std::ofstream(cache().file(), std::ios::app) << "cred.uid = 12\n";
    EXPECT_FALSE(cache().read());
    EXPECT_THAT(log_, ElementsAre(testing::AllOf(HasSubstr("damaged"), HasSubstr("twice"))));
    cache().write(sample());
    EXPECT_TRUE(cache().read()) << "it can be written anew";
}

TEST_F(Cache, FailingToKeepIsNotFatal) {
    std::ofstream(temporary_.path() + "/cache") << "a file where a folder should be\n";
    cache().write(sample());
    EXPECT_THAT(log_, ElementsAre(testing::AllOf(HasSubstr("cannot be kept"), HasSubstr(folder_))));
}

} // namespace

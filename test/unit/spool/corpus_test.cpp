// SPDX-License-Identifier: MIT
// The fuzzer's corpus, run once; see test/fuzz.
#include <gtest/gtest.h>

#include "test/fuzz/spool_target.hpp"
#include "test/unit/support/corpus.hpp"

namespace {

TEST(SpoolCorpus, HoldsForEveryFileAndEveryBeginning) {
    size_t files = 0, records = 0;
    for (const std::string& bytes : corpus("spool")) {
        records += spool_test::fuzz_spool(bytes);
        for (size_t size = 0; size < bytes.size(); ++size)
            spool_test::fuzz_spool(std::string_view(bytes).substr(0, size));
        ++files;
    }
    EXPECT_EQ(files, 8U);
    EXPECT_GT(records, 20U);
}

} // namespace

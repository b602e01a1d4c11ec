// SPDX-License-Identifier: MIT
// Events as audit records, read back.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/output/formats.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/support/audit_records.hpp"
#include "test/unit/support/temporary_folder.hpp"

namespace audit_test {

using namespace telemetry;
using audit_records::Record;
using samples::known;

inline std::vector<std::string> types(const std::vector<Record>& records) {
    std::vector<std::string> all;
    for (const Record& record : records)
        all.push_back(record.type);
    return all;
}

class AuditTest : public testing::Test {
  protected:
    std::string lines(const Event& event) { return samples::formatted(*formatter_, event); }
    std::vector<Record> records(const Event& event) { return audit_records::parse(lines(event)); }
    /// Without the number of the event.
    std::string unnumbered(const Event& event) {
        std::string all = lines(event);
        const std::string stamp = ':' + audit_records::parse(all).front().stamp.substr(15) + ')';
        for (size_t at = 0; (at = all.find(stamp, at)) != std::string::npos; at += 3)
            all.replace(at, stamp.size(), ":N)");
        return all;
    }
    static const Record& only(const std::vector<Record>& all, std::string_view type) {
        const Record* found = nullptr;
        for (const Record& record : all)
            if (record.type == type && !std::exchange(found, &record))
                continue;
        if (!found)
            throw std::runtime_error("no record " + std::string(type));
        return *found;
    }

    std::unique_ptr<Formatter> formatter_ = format_named("audit").make(samples::context());
};

class EnrichedAuditTest : public AuditTest {
  protected:
    EnrichedAuditTest() {
        std::ofstream(folder_.path() + "/passwd")
            << "root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\n";
        std::ofstream(folder_.path() + "/group") << "root:x:0:\nstaff:x:1001:\n";
        FormatContext context = samples::context();
        context.accounts = std::make_shared<AccountFiles>(folder_.path());
        formatter_ = format_named("audit-enriched").make(context);
    }
    TemporaryFolder folder_;
};

inline Event opened() {
    Event event = samples::call(samples::openat, 3, {0xffffff9c, 0x7ffd0010, 0x241, 0644});
    samples::add_path(event, EBT_ARG_RET, "/home/ann/notes.txt");
    event.path[0].has_inode = true;
    event.path[0].inode = {77, 0xef53, 0100644, 1000, 1001, 0x800001};
    event.image.argv = known<StringList>(std::string_view("cat\0-\0", 6));
    return event;
}

inline Event executed(std::string_view argv) {
    Event event = samples::call(samples::execve, 0, {0x7ffd0010, 0x7ffd0020, 0x7ffd0030});
    samples::add_path(event, 0, "/usr/bin/cat");
    event.image.argv = known<StringList>(argv);
    return event;
}

} // namespace audit_test

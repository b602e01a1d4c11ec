// SPDX-License-Identifier: MIT
#include "test/cost/samples.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "test/unit/support/record_builder.hpp"

namespace cost_test {

namespace {

using namespace std::string_literals;

constexpr ebt_inode program{5, 0, S_IFREG | 0755, 0, 0, 0x800001, 0};
constexpr ebt_inode document{7, 0, S_IFREG | 0644, 1000, 1000, 0x800001, 0};
const std::string here = RecordBuilder::components("/home/me/project");

/// With the image, as the first event of a process after its exec is.
RecordBuilder with_image(std::string_view call) {
    RecordBuilder record(call);
    record.header.flags = EBT_IMAGE;
    record.file(EBT_FIELD_EXE, "/usr/bin/make", program);
    record.field(EBT_FIELD_IMAGE_ARGV, RecordBuilder::list({"make", "-C", "build", "all"}),
                 {.flags = EBT_USER_MEMORY});
    record.field(EBT_FIELD_TTY, "pts/0");
    record.field(EBT_FIELD_CWD, here);
    return record;
}

RecordBuilder opened() {
    RecordBuilder record("openat");
    record.header.ret = 3;
    record.header.args[0] = static_cast<uint64_t>(AT_FDCWD);
    record.header.args[2] = O_WRONLY | O_CREAT | O_CLOEXEC;
    record.field(EBT_FIELD_CWD, here);
    record.file(EBT_FIELD_FILE, "/home/me/project/build/out.txt", document, {.arg = EBT_ARG_RET});
    record.field(EBT_FIELD_STRING, "build/out.txt", {.arg = 1, .flags = EBT_USER_MEMORY});
    return record;
}

RecordBuilder not_opened() {
    RecordBuilder record("openat");
    record.header.ret = -ENOENT;
    record.header.args[0] = static_cast<uint64_t>(AT_FDCWD);
    record.field(EBT_FIELD_CWD, here);
    record.field(EBT_FIELD_STRING, "../lib/caf\xc3\xa9 \"menu\".txt", {.arg = 1, .flags = EBT_USER_MEMORY});
    return record;
}

RecordBuilder connected() {
    RecordBuilder record("connect");
    record.header.ret = -EINPROGRESS;
    ebt_socket ends{AF_INET, SOCK_STREAM, 6, 44'000, 443, {10, 0, 0, 5}, {93, 184, 216, 34}};
    record.field(EBT_FIELD_SOCKADDR, "\2\0\1\xbb\x5d\xb8\xd8\x22\0\0\0\0\0\0\0\0"s,
                 {.arg = 1, .flags = EBT_USER_MEMORY});
    record.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(ends), {.arg = 0});
    return record;
}

RecordBuilder renamed() {
    RecordBuilder record("rename");
    record.field(EBT_FIELD_CWD, here);
    record.field(EBT_FIELD_STRING, "out.txt.new", {.arg = 0, .flags = EBT_USER_MEMORY});
    record.field(EBT_FIELD_STRING, "out.txt", {.arg = 1, .flags = EBT_USER_MEMORY});
    return record;
}

RecordBuilder forked() {
    RecordBuilder record;
    record.header.kind = EBT_FORK;
    return record.field(EBT_FIELD_CHILD, RecordBuilder::bytes_of(ebt_child{2'000'000'000, 200, 200}));
}

RecordBuilder ended() {
    RecordBuilder record;
    record.header.kind = EBT_EXIT;
    record.header.tgid = record.header.tid = 200;
    record.header.start_time = 2'000'000'000;
    return record;
}

} // namespace

std::vector<Sample> samples() {
    return {{"execve", with_image("execve").bytes()},
            {"openat", opened().bytes()},
            {"openat_failed", not_opened().bytes()},
            {"connect", connected().bytes()},
            {"rename", renamed().bytes()},
            {"fork", forked().bytes()},
            {"exit", ended().bytes()}};
}

} // namespace cost_test

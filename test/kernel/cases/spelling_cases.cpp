// SPDX-License-Identifier: MIT
// Other spellings of a path, which rules see through.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kernel_test {

namespace {

struct Spelling {
    std::string text;
    uint8_t flags = 0;
};

/// Of a file in the case's folder. The folder's own name is not rewritten.
std::vector<Spelling> spellings(const Process& p, const std::string& name) {
    const std::string folder = p.folder(), last = folder.substr(folder.rfind('/') + 1);
    const std::string number = std::to_string(p.identity().pid);
    return {
        {"/" + folder + "/" + name},
        {folder + "//./" + name},
        {"/." + folder + "/" + name},
        {"/../.." + folder + "/" + name},
        {"/proc/self/root" + folder + "/" + name},
        {"/proc/thread-self/root" + folder + "/" + name},
        {"/proc/" + number + "/root" + folder + "/" + name},
        {"/proc/self/cwd/" + name},
        {"/proc/self/cwd/../" + last + "/" + name},
        {folder + "/../" + last + "/" + name, LOG_LEXICAL},
        {"/tmp/.." + folder + "/" + name, LOG_LEXICAL},
    };
}

/// What changes a file, by each spelling of its name.
void spellings_(Process& p) {
    const std::string path = p.at("file");
    std::vector<int> files; // kept open: an inode that is free may become the next file's, or not
    for (const Spelling& spelling : spellings(p, "file")) {
        const char* const text = spelling.text.c_str();
        files.push_back(p.make_file("file"));
        p.call({"chmod", SYS_chmod}, text, 0644).succeeds().named(0, path, spelling.flags).called(text);
        p.call({"truncate", SYS_truncate}, text, 1).succeeds().named(0, path, spelling.flags).called(text);
        p.call({"unlink", SYS_unlink}, text).succeeds().named(0, path, spelling.flags).called(text);
        p.call({"mkdir", SYS_mkdir}, text, 0700).succeeds().named(0, path, spelling.flags).called(text);
        p.call({"rmdir", SYS_rmdir}, text).succeeds().named(0, path, spelling.flags).called(text);
        p.call({"symlink", SYS_symlink}, "x//y", text)
            .succeeds()
            .named(0, "x//y", LOG_RELATIVE)
            .named(1, path, spelling.flags)
            .called(text);
        p.call({"rename", SYS_rename}, text, "other")
            .succeeds()
            .named(0, path, spelling.flags)
            .called(text)
            .named(1, p.at("other"));
        p.call({"open", SYS_open}, text, O_RDONLY).fails(ENOENT).named(0, path, spelling.flags).called(text);
    }
    for (const int file : files)
        close(file);
}

/// Another process's root is taken for the machine's.
void through_another_process(Process& p) {
    const std::string text = "/proc/1/root" + p.at("no");
    p.call({"unlink", SYS_unlink}, text.c_str())
        .fails(ENOENT, EACCES)
        .named(0, p.at("no"), LOG_LEXICAL)
        .called(text);
    p.call({"unlink", SYS_unlink}, "/proc/1/cwd/no")
        .fails(ENOENT, EACCES)
        .named(0, "no", LOG_RELATIVE)
        .called("/proc/1/cwd/no");
}

/// Relative ones start where the kernel knows the way up.
void relative_spellings(Process& p) {
    p.make_folder("folder");
    const std::string outside = p.folder().substr(0, p.folder().rfind('/'));
    const long folder = p.call({"openat", SYS_openat}, AT_FDCWD, "folder", O_RDONLY | O_DIRECTORY)
                            .succeeds()
                            .opened(1, p.at("folder"))
                            .ret();
    p.call({"unlinkat", SYS_unlinkat}, folder, "../no", 0)
        .fails(ENOENT)
        .named(1, p.at("no"))
        .called(p.at("folder/../no"));
    p.call({"unlinkat", SYS_unlinkat}, AT_FDCWD, "folder/../no", 0)
        .fails(ENOENT)
        .named(1, p.at("no"), LOG_LEXICAL)
        .called(p.at("folder/../no"));
    p.call({"unlink", SYS_unlink}, "../no").fails(ENOENT).named(0, outside + "/no").called(p.at("../no"));
    p.call({"unlink", SYS_unlink}, "./no").fails(ENOENT).named(0, p.at("no"));
    p.call({"unlink", SYS_unlink}, "folder//no")
        .fails(ENOENT)
        .named(0, p.at("folder/no"))
        .called(p.at("folder//no"));
    p.call({"mkdir", SYS_mkdir}, "made/", 0700).succeeds().named(0, p.at("made")).called(p.at("made/"));
    p.call({"unlinkat", SYS_unlinkat}, -1, "a//no", 0)
        .fails(EBADF)
        .named(1, "a/no", LOG_RELATIVE)
        .called("a//no");
}

} // namespace

Cases spelling_cases() {
    return {
        {"spellings", spellings_},
        {"through_another_process", through_another_process},
        {"relative_spellings", relative_spellings},
    };
}

} // namespace kernel_test

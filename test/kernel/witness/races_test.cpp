// SPDX-License-Identifier: MIT
// Calls by a name or a descriptor while a second thread changes it: see races.hpp.
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "test/kernel/witness/races.hpp"

namespace kernel_test {

namespace {

bool exists(const std::string& path) {
    struct stat about {};
    return lstat(path.c_str(), &about) == 0;
}

struct stat status_of(const std::string& folder) {
    struct stat about {};
    stat((folder + "/f").c_str(), &about);
    return about;
}

void nothing(const std::string&) {}
void make_file(const std::string& folder) {
    close(open((folder + "/f").c_str(), O_CREAT | O_WRONLY, 0600));
}
void make_folder(const std::string& folder) {
    mkdir((folder + "/d").c_str(), 0700);
}
void remove_new(const std::string& folder) {
    unlink((folder + "/n").c_str());
}
void remove_new_folder(const std::string& folder) {
    rmdir((folder + "/n").c_str());
}
void make_file_and_remove_new(const std::string& folder) {
    make_file(folder);
    remove_new(folder);
}

bool is_new_there(const std::string& folder, unsigned) {
    return exists(folder + "/n");
}
bool is_file_gone(const std::string& folder, unsigned) {
    return !exists(folder + "/f");
}
bool has_two_names(const std::string& folder, unsigned) {
    return status_of(folder).st_nlink == 2;
}
bool is_folder_gone(const std::string& folder, unsigned) {
    return !exists(folder + "/d");
}
mode_t mode_in(unsigned round) {
    return 0400 + round % 0377;
}
bool has_mode(const std::string& folder, unsigned round) {
    return (status_of(folder).st_mode & 07777) == mode_in(round);
}
bool has_owner(const std::string& folder, unsigned round) {
    return status_of(folder).st_uid == 1000 + round;
}
bool has_size(const std::string& folder, unsigned round) {
    return status_of(folder).st_size == static_cast<off_t>(1 + round);
}
constexpr const char* attribute = "trusted.ebt_round";
bool has_attribute(const std::string& folder, unsigned round) {
    unsigned value = UINT32_MAX;
    return getxattr((folder + "/f").c_str(), attribute, &value, sizeof value) == sizeof value &&
           value == round;
}

/// By a directory and a name below it: absolute, below the working directory, or below a descriptor.
constexpr RacedCall by_name[] = {
    {"openat",
     [](const Target& t, unsigned) {
         const long fd = syscall(SYS_openat, t.fd, t.new_name, O_CREAT | O_EXCL | O_WRONLY, 0600);
         close(static_cast<int>(fd));
         return fd >= 0;
     },
     remove_new, is_new_there},
    {"unlinkat", [](const Target& t, unsigned) { return syscall(SYS_unlinkat, t.fd, t.old_name, 0) == 0; },
     make_file, is_file_gone},
    {"renameat",
     [](const Target& t, unsigned) { return syscall(SYS_renameat, t.fd, t.old_name, t.fd, t.new_name) == 0; },
     make_file_and_remove_new, is_file_gone, is_new_there},
    {"linkat",
     [](const Target& t, unsigned) {
         return syscall(SYS_linkat, t.fd, t.old_name, t.fd, t.new_name, 0) == 0;
     },
     make_file_and_remove_new, has_two_names, is_new_there},
    {"symlinkat",
     [](const Target& t, unsigned) { return syscall(SYS_symlinkat, "f", t.fd, t.new_name) == 0; }, remove_new,
     is_new_there, nullptr, 1},
    {"mkdirat", [](const Target& t, unsigned) { return syscall(SYS_mkdirat, t.fd, t.new_name, 0700) == 0; },
     remove_new_folder, is_new_there},
    {"mknodat",
     [](const Target& t, unsigned) { return syscall(SYS_mknodat, t.fd, t.new_name, S_IFIFO | 0600, 0) == 0; },
     remove_new, is_new_there},
    {"fchmodat",
     [](const Target& t, unsigned round) {
         return syscall(SYS_fchmodat, t.fd, t.old_name, mode_in(round)) == 0;
     },
     make_file, has_mode},
    {"fchownat",
     [](const Target& t, unsigned round) {
         return syscall(SYS_fchownat, t.fd, t.old_name, 1000 + round, 0, 0) == 0;
     },
     make_file, has_owner},
};

bool remove_directory(const Target& t, unsigned) {
    return syscall(SYS_unlinkat, t.fd, t.old_name, AT_REMOVEDIR) == 0;
}
constexpr RacedCall rmdir_by_name = {"unlinkat", remove_directory, make_folder, is_folder_gone};

/// By a name that takes no directory's descriptor.
constexpr RacedCall by_path[] = {
    {"truncate",
     [](const Target& t, unsigned round) { return syscall(SYS_truncate, t.old_name, 1 + round) == 0; },
     make_file, has_size},
    {"setxattr",
     [](const Target& t, unsigned round) {
         return syscall(SYS_setxattr, t.old_name, attribute, &round, sizeof round, 0) == 0;
     },
     make_file, has_attribute},
};

/// By a descriptor of the file itself.
constexpr RacedCall by_descriptor[] = {
    {"fchmod", [](const Target& t, unsigned round) { return syscall(SYS_fchmod, t.fd, mode_in(round)) == 0; },
     nothing, has_mode},
    {"fchown",
     [](const Target& t, unsigned round) { return syscall(SYS_fchown, t.fd, 1000 + round, 0) == 0; }, nothing,
     has_owner},
    {"ftruncate",
     [](const Target& t, unsigned round) { return syscall(SYS_ftruncate, t.fd, 1 + round) == 0; }, nothing,
     has_size},
    {"fsetxattr",
     [](const Target& t, unsigned round) {
         return syscall(SYS_fsetxattr, t.fd, attribute, &round, sizeof round, 0) == 0;
     },
     nothing, has_attribute},
};

class NameRaces : public Races {
  public:
    using Races::Races;

  private:
    void race_all_ways(const RacedCall& call, const char* old_name, const char* new_name) {
        const std::string old_path = std::string("/") + old_name, new_path = std::string("/") + new_name;
        const Changing directory(folders_[0], folders_[1], O_RDONLY);
        race(call, {{"string",
                     change_strings(old_path.c_str(), new_path.c_str()),
                     {AT_FDCWD, shared_->old_name, shared_->new_name}},
                    {"directory", change_directory(), {AT_FDCWD, old_name, new_name}},
                    {"descriptor", directory.change(), {directory.fd, old_name, new_name}}});
    }

    void TestBody() override {
        make_folders();
        for (const RacedCall& call : by_name) {
            for (const std::string& folder : folders_) { // a node or folder of the call before
                remove_new(folder);
                remove_new_folder(folder);
            }
            race_all_ways(call, "f", "n");
        }
        race_all_ways(rmdir_by_name, "d", "n");
    }
};

class FileRaces : public Races {
  public:
    using Races::Races;

  private:
    void TestBody() override {
        make_folders();
        for (const RacedCall& call : by_path) {
            race(call, {{"string", change_strings("/f", "/n"), {AT_FDCWD, shared_->old_name, nullptr}},
                        {"directory", change_directory(), {AT_FDCWD, "f", nullptr}}});
        }
        const Changing file(folders_[0] + "/f", folders_[1] + "/f", O_RDWR);
        for (const RacedCall& call : by_descriptor)
            race(call, {{"descriptor", file.change(), {file.fd, nullptr, nullptr}}});
    }
};

} // namespace

void register_witness_race_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Witnesses." + std::string(tier_name(tier));
    add_test<NameRaces>(suite, "NameRaces", tier);
    add_test<FileRaces>(suite, "FileRaces", tier);
    register_exec_race_tests(tier);
}

} // namespace kernel_test

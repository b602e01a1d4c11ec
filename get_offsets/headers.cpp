// SPDX-License-Identifier: MIT
// The compiler's debug information of a small object says where the fields are. Nothing of
// the kernel's own build is run: the headers may be another machine's, and their build wants
// the compiler that the kernel was built with.
#include "get_offsets/headers.hpp"

#include "get_offsets/dwarf.hpp"

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/base/text.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace {

using namespace ebpf_loader;
namespace fs = std::filesystem;

/// Every structure of offsets.def, by pointers that need their whole description. struct mount
/// is in no header: its first members have been these from Linux 3.3 to 7.2, and the engine
/// looks at a mount of its own process before its first event, as at everything else.
constexpr const char* source_text = R"(
#include <linux/binfmts.h>
#include <linux/cgroup-defs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/kernfs.h>
#include <linux/mm_types.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/ns_common.h>
#include <linux/nsproxy.h>
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/proc_ns.h>
#include <linux/tty.h>
#include <linux/user_namespace.h>
#include <net/af_unix.h>
#include <net/sock.h>
struct mount {
    struct hlist_node mnt_hash;
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};
struct every_structure {
    struct task_struct task_struct;
    struct linux_binprm linux_binprm;
    struct thread_info thread_info;
    struct cred cred;
    struct nsproxy nsproxy;
    struct pid_namespace pid_namespace;
    struct user_namespace user_namespace;
    struct mm_struct mm_struct;
    struct fs_struct fs_struct;
    struct path path;
    struct files_struct files_struct;
    struct fdtable fdtable;
    struct file file;
    struct dentry dentry;
    struct qstr qstr;
    struct vfsmount vfsmount;
    struct mount mount;
    struct inode inode;
    struct ns_common ns_common;
    struct proc_ns_operations proc_ns_operations;
    struct super_block super_block;
    struct signal_struct signal_struct;
    struct tty_struct tty_struct;
    struct socket socket;
    struct sock sock;
    struct unix_sock unix_sock;
    struct unix_address unix_address;
#ifdef CONFIG_CGROUPS
    struct css_set css_set;
    struct cgroup_subsys_state cgroup_subsys_state;
    struct cgroup cgroup;
    struct kernfs_node kernfs_node;
#endif
};
const struct every_structure *get_offsets_structures;
)";

/// The one header of the compiler's own that kernels include, before Linux 5.15. Where a
/// compiler keeps its own differs.
constexpr const char* stdarg_text = R"(#pragma once
typedef __builtin_va_list va_list;
#define va_start(list, last) __builtin_va_start(list, last)
#define va_end(list) __builtin_va_end(list)
#define va_arg(list, type) __builtin_va_arg(list, type)
#define va_copy(to, from) __builtin_va_copy(to, from)
)";

/// A folder of its own for the object, removed in the end.
class ScratchDirectory {
  public:
    ScratchDirectory() : path_((fs::temp_directory_path() / "get_offsets.XXXXXX").string()) {
        if (!mkdtemp(path_.data()))
            throw Error(ErrorCode::offsets,
                        "Cannot make a directory like " + path_ + ": " + strerror(errno) + ".");
    }
    ~ScratchDirectory() {
        std::error_code error;
        fs::remove_all(path_, error);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    const std::string& path() const { return path_; }
    std::string at(const char* name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

/// Debian keeps what all of a release's kernels share in a tree of its own, and says where in
/// the Makefile of the kernel's: "include /usr/src/linux-headers-6.1.0-18-common/Makefile". A
/// build outside its sources has a link to them.
std::vector<fs::path> trees(const fs::path& folder) {
    std::vector<fs::path> found = {folder};
    const auto add = [&](const fs::path& tree) {
        std::error_code error;
        if (fs::exists(tree / "include/linux/sched.h", error) && !fs::equivalent(tree, folder, error))
            found.push_back(tree);
    };
    add(folder / "source"); // a build outside its sources
    std::ifstream makefile(folder / "Makefile");
    constexpr std::string_view word = "include ", end = "/Makefile";
    for (std::string line; std::getline(makefile, line);)
        if (line.starts_with(word) && line.ends_with(end)) {
            const fs::path named = line.substr(word.size(), line.size() - word.size() - end.size());
            add(named);                                   // as installed
            add(folder.parent_path() / named.filename()); // as unpacked elsewhere
        }
    return found;
}

/// The first of the trees that has it; empty if none has.
std::string find(const std::vector<fs::path>& in, const char* name) {
    for (const fs::path& tree : in)
        if (fs::exists(tree / name))
            return (tree / name).string();
    return {};
}

/// What uname -r says there; Debian's file kernel.release has the upstream version instead.
std::string release_of(const std::vector<fs::path>& in) {
    std::ifstream header(find(in, "include/generated/utsrelease.h"));
    constexpr std::string_view before = "#define UTS_RELEASE \"";
    for (std::string line; std::getline(header, line);)
        if (line.starts_with(before))
            return line.substr(before.size(), line.rfind('"') - before.size());
    return {};
}

/// Does the kernel's configuration have one of these set to y?
bool is_configured(const std::vector<fs::path>& in, std::initializer_list<std::string_view> options) {
    std::ifstream settings(find(in, "include/generated/autoconf.h"));
    constexpr std::string_view before = "#define CONFIG_", after = " 1";
    for (std::string line; std::getline(settings, line);)
        for (const std::string_view option : options)
            if (line.starts_with(before) && line.ends_with(after) &&
                std::string_view(line).substr(before.size(), line.size() - before.size() - after.size()) ==
                    option)
                return true;
    return false;
}

void require_usable(const std::string& folder, const std::vector<fs::path>& in) {
    for (const char* needed :
         {"include/linux/sched.h", "include/linux/kconfig.h", "include/generated/autoconf.h"})
        if (find(in, needed).empty())
            throw Error(ErrorCode::offsets,
                        "There are no kernel headers in " + folder + ": no " + needed +
                            ".\nName a tree that modules can be built against, such as /lib/modules/$(uname "
                            "-r)/build; "
                            "distributions have it in a package (linux-headers-..., kernel-devel).");
    if (is_configured(in, {"RANDSTRUCT", "GCC_PLUGIN_RANDSTRUCT"}))
        throw Error(ErrorCode::offsets,
                    "The kernel of " + folder +
                        " has randomised structures (CONFIG_RANDSTRUCT): its headers do not show where the "
                        "fields are. Use its BTF (--btf) or its debug information (--vmlinux), or run "
                        "get_offsets --discover on it.");
}

std::vector<std::string> compiler_command(const std::vector<fs::path>& in, const ScratchDirectory& scratch) {
    const char* const chosen = getenv("CC");
    std::vector<std::string> command = {chosen && *chosen ? chosen : "cc"};
    for (const char* flag : {"-g",
                             "-O2",
                             "-w",
                             "-std=gnu11",
                             "-nostdinc",
                             "-ffreestanding",
                             "-fms-extensions",
                             "-fshort-wchar",
                             "-m64",
                             "-mcmodel=kernel",
                             "-mno-red-zone",
                             "-mno-sse",
                             "-mno-sse2",
                             "-mno-mmx",
                             "-fno-pie",
                             "-fno-common",
                             "-fno-strict-aliasing",
                             "-fno-asynchronous-unwind-tables",
                             "-fcf-protection=none",
                             "-D__KERNEL__",
                             "-DMODULE",
                             "-DCC_HAVE_ASM_GOTO",
                             "-DCC_USING_FENTRY",
                             "-DKBUILD_MODNAME=\"get_offsets\"",
                             "-DKBUILD_BASENAME=\"get_offsets\"",
                             "-DKBUILD_MODFILE=\"get_offsets\""})
        command.emplace_back(flag);
    // Linux 4.16 and 4.17 have it from their Makefile alone, and a field of task_struct with it.
    if (is_configured(in,
                      {"CC_STACKPROTECTOR_REGULAR", "CC_STACKPROTECTOR_STRONG", "CC_STACKPROTECTOR_AUTO"}))
        command.emplace_back("-DCONFIG_CC_STACKPROTECTOR=1");
    // Linked, since libdw does not relocate what it reads.
    for (const char* flag : {"-nostdlib", "-static", "-no-pie", "-Wl,-e0", "-Wl,--build-id=none"})
        command.emplace_back(flag);
    for (const char* folder :
         {"arch/x86/include", "arch/x86/include/generated", "include", "arch/x86/include/uapi",
          "arch/x86/include/generated/uapi", "include/uapi", "include/generated/uapi"})
        for (const fs::path& tree : in)
            if (fs::exists(tree / folder))
                command.push_back("-I" + (tree / folder).string());
    for (const char* header :
         {"include/linux/compiler-version.h", "include/linux/kconfig.h", "include/linux/compiler_types.h"})
        if (const std::string file = find(in, header); !file.empty())
            command.insert(command.end(), {"-include", file});
    command.push_back("-I" + scratch.path());
    command.insert(command.end(), {"-o", scratch.at("structures"), scratch.at("structures.c")});
    return command;
}

/// The exit status, or -1 with errno; what the program says goes to the file.
int run(const std::vector<std::string>& command, const std::string& output) {
    std::vector<char*> arguments;
    for (const std::string& word : command)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t child = -1;
    errno = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = -1;
    if (errno || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// The compiler's first complaints.
std::string complaints(const std::string& file) {
    std::ifstream in(file);
    std::string text;
    int lines = 0;
    for (std::string line; lines < 5 && std::getline(in, line);)
        if (line.find("error") != line.npos) {
            text += "\n  " + printable(line, 200);
            lines++;
        }
    return text;
}

} // namespace

Offsets offsets_from_headers(const std::string& folder) {
    const std::vector<fs::path> in = trees(fs::path(folder).lexically_normal());
    require_usable(folder, in);
    const ScratchDirectory scratch;
    std::ofstream(scratch.at("structures.c")) << source_text;
    std::ofstream(scratch.at("stdarg.h")) << stdarg_text;
    const std::vector<std::string> command = compiler_command(in, scratch);
    const int status = run(command, scratch.at("log"));
    if (status < 0)
        throw Error(ErrorCode::offsets, "Cannot run the compiler " + command[0] + ": " +
                                            std::strerror(errno) +
                                            ".\nInstall gcc, or name another one in CC.");
    if (status != 0)
        throw Error(ErrorCode::offsets, "The headers in " + folder + " do not compile with " + command[0] +
                                            ":" + complaints(scratch.at("log")) +
                                            "\nName the compiler that the kernel was built with, or one of "
                                            "its time, in CC (CC=gcc-12 ...).");
    Offsets offsets = offsets_from_dwarf(scratch.at("structures"));
    offsets.release = release_of(in);
    offsets.source =
        "headers in " + folder +
        "; struct mount, which no header has, as in Linux 3.3 to 7.2: the self-check tests it at every "
        "start";
    return offsets;
}

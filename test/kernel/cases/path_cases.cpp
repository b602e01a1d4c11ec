// SPDX-License-Identifier: MIT
// Paths of every length and depth.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kernel_test {

namespace {

/// `levels` names of `length` bytes, to stand one in the other.
std::vector<std::string> folder_names(int levels, size_t length) {
    std::vector<std::string> names;
    for (int i = 0; i < levels; i++) {
        std::string name = length > 4 ? std::to_string(i) + "_" : "";
        name.resize(length, static_cast<char>('a' + i % 26));
        names.push_back(name);
    }
    return names;
}

/// Done before the case, by a process whose calls are not reported.
void make_folders(const std::string& folder, const std::vector<std::string>& names) {
    int at = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const std::string& name : names) {
        mkdirat(at, name.c_str(), 0755);
        const int next = openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    close(at);
}

/// What is kept of a path: the last components that fit.
struct Cut {
    std::string_view kept;
    bool is_cut;

    explicit Cut(std::string_view path) : kept(path), is_cut(path.size() > EBT_PATH_MAX) {
        if (!is_cut)
            return;
        const size_t slash = path.find('/', path.size() - EBT_PATH_MAX);
        kept = path.substr(slash + 1);
    }
};

void set_cwd(Process& p, const std::string& path) {
    const Cut cut(path);
    log_text& cwd = p.change().cwd;
    p.set_text(cwd, cut.kept);
    cwd.original = static_cast<uint32_t>(path.size());
    cwd.status = cut.is_cut ? LOG_TRUNCATED : LOG_OK;
}

/// Goes down, some levels with each call; returns the path.
std::string descend(Process& p, const std::vector<std::string>& names) {
    std::string path = p.folder();
    for (size_t i = 0; i < names.size();) {
        std::string step;
        for (; i < names.size() && step.size() + names[i].size() < 4000; i++)
            step += (step.empty() ? "" : "/") + names[i];
        path += "/" + step;
        Call go = p.call({"chdir", SYS_chdir}, step.c_str());
        set_cwd(p, path);
        go.succeeds().by(p).led_to(0, "");
        go.entry().path[0].text = p.identity().cwd;
        if (Cut(path).is_cut)
            go.entry().path[0].text.flags |= LOG_RELATIVE;
    }
    return path;
}

void make_many_levels(const std::string& folder) {
    make_folders(folder, folder_names(150, 8));
}

/// 150 levels: more than one program of a tier without loops walks.
void many_levels(Process& p) {
    const std::string cwd = descend(p, folder_names(150, 8));
    const long file =
        p.call({"open", SYS_open}, "file", O_CREAT | O_RDWR, 0600).succeeds().opened(0, cwd + "/file").ret();
    p.call({"ftruncate", SYS_ftruncate}, file, 10).succeeds().file(0, file, cwd + "/file");
    p.call({"rename", SYS_rename}, "file", "other")
        .succeeds()
        .named(0, cwd + "/file")
        .named(1, cwd + "/other");
    p.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, cwd + "/no");
    p.call({"linkat", SYS_linkat}, AT_FDCWD, "other", AT_FDCWD, "no/such", 0)
        .fails(ENOENT)
        .named(1, cwd + "/other")
        .named(3, cwd + "/no/such");
}

/// A chain of folders with names of one letter, and calls at its end.
void go_deep(Process& p, int levels) {
    const std::string cwd = descend(p, folder_names(levels, 1));
    p.call({"open", SYS_open}, "f", O_CREAT | O_RDWR, 0600).succeeds().opened(0, cwd + "/f");
    p.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, cwd + "/no");
    p.call({"unlink", SYS_unlink}, "f").succeeds().named(0, cwd + "/f");
    const std::string file = p.at("file");
    p.call({"open", SYS_open}, file.c_str(), O_CREAT | O_RDWR, 0600).succeeds().opened(0, file);
}

constexpr int many_short_levels = 600;

void make_many_short_levels(const std::string& folder) {
    make_folders(folder, folder_names(many_short_levels, 1));
}

void many_short(Process& p) {
    go_deep(p, many_short_levels);
}

constexpr int most_levels = 2010;

void make_most_levels(const std::string& folder) {
    make_folders(folder, folder_names(most_levels, 1));
}

/// As many levels as a path of PATH_MAX bytes can have.
void deepest(Process& p) {
    go_deep(p, most_levels);
    const size_t length = p.text(p.identity().cwd).size();
    p.require(length > 4000 && length < 4090, "a path that nearly fills PATH_MAX");
}

void make_too_deep(const std::string& folder) {
    make_folders(folder, folder_names(60, 200));
}

/// Deeper than any path can name: what is kept is the end.
void too_deep(Process& p) {
    const std::string cwd = descend(p, folder_names(60, 200));
    p.require(cwd.size() > 12000, "a path of three times PATH_MAX");
    Call call = p.call({"open", SYS_open}, "file", O_CREAT | O_RDWR, 0600);
    const Cut cut(cwd + "/file");
    call.succeeds().opened(0, cut.kept);
    log_text& text = call.entry().path[0].text;
    text.status = LOG_TRUNCATED;
    text.original = static_cast<uint32_t>(cwd.size() + 5);
    text.flags |= LOG_RELATIVE;
    p.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, "no", LOG_RELATIVE);
    p.call({"unlink", SYS_unlink}, "file").succeeds().named(0, "file", LOG_RELATIVE);
}

void make_long_sum(const std::string& folder) {
    make_folders(folder, folder_names(15, 250));
}

/// 4,000 characters, as the process gives them and as the kernel does.
void long_paths(Process& p) {
    const auto names = folder_names(15, 255);
    std::string path = p.folder();
    for (const std::string& name : names) {
        path += "/" + name;
        p.call({"mkdir", SYS_mkdir}, path.c_str(), 0755).succeeds().named(0, path);
    }
    path += "/" + std::string(4000 - path.size() - 1, 'x');
    p.require(path.size() == 4000, "a path of 4000 characters");
    p.call({"open", SYS_open}, path.c_str(), O_RDONLY).fails(ENOENT).named(0, path);
    p.call({"open", SYS_open}, path.c_str(), O_CREAT | O_RDWR, 0600).succeeds().opened(0, path);
    p.call({"rename", SYS_rename}, path.c_str(), (path + "2").c_str())
        .succeeds()
        .named(0, path)
        .named(1, path + "2");
    p.call({"unlink", SYS_unlink}, (path + "2").c_str()).succeeds().named(0, path + "2");
}

/// The longest path that the kernel takes, and the shortest that it does not.
void longest_path(Process& p) {
    std::string path = "/no/such";
    path.resize(4095, 'y');
    p.call({"open", SYS_open}, path.c_str(), O_RDONLY).fails(ENOENT).named(0, path);
    path += 'z';
    p.call({"open", SYS_open}, path.c_str(), O_RDONLY)
        .fails(ENAMETOOLONG)
        .cut_path(0, path.substr(0, 4095), 4096, LOG_AT_LEAST);
    path.resize(20000, 'z');
    p.call({"open", SYS_open}, path.c_str(), O_RDONLY)
        .fails(ENAMETOOLONG)
        .cut_path(0, path.substr(0, 4095), 4096, LOG_AT_LEAST);
}

/// A relative path that is long, below a folder that is deep: both are kept whole.
void long_sum(Process& p) {
    const std::string cwd = descend(p, folder_names(15, 250));
    std::string name = "no/such";
    name.resize(3000, 'n');
    p.call({"open", SYS_open}, name.c_str(), O_RDONLY).fails(ENOENT).named(0, cwd + "/" + name);
}

/// A name of 255 bytes, one byte, and names that only look special.
void names(Process& p) {
    for (const std::string& name :
         {std::string(255, 'n'), std::string("x"), std::string("..."), std::string(".hidden"),
          std::string("a b\tc"), std::string("(deleted)")}) {
        p.call({"open", SYS_open}, name.c_str(), O_CREAT | O_RDWR, 0600).succeeds().opened(0, p.at(name));
        p.call({"unlink", SYS_unlink}, name.c_str()).succeeds().named(0, p.at(name));
    }
}

} // namespace

Cases path_cases() {
    return {
        {"many_levels", many_levels, true, make_many_levels},
        {"many_short_levels", many_short, true, make_many_short_levels},
        {"deepest", deepest, true, make_most_levels},
        {"too_deep", too_deep, true, make_too_deep},
        {"long_paths", long_paths},
        {"longest_path", longest_path},
        {"long_sum", long_sum, true, make_long_sum},
        {"names", names},
    };
}

} // namespace kernel_test

// SPDX-License-Identifier: MIT
#include "test/kernel/filters/screen_places.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "test/kernel/process.hpp"
#include "test/kernel/subject/raw_int80.hpp"
#include "test/takes_32_bit.hpp"

namespace kernel_test {

namespace {

constexpr uint64_t numbers_of_a_place = 10000;
constexpr int no_overlays = 77; ///< exit status

class OddPlaces {
  public:
    OddPlaces(std::string folder, uint32_t user, uint64_t number)
        : folder_(std::move(folder)), user_(user), number_(number) {}

    bool make() {
        return have_own_mounts() &&
               make({&OddPlaces::plain, &OddPlaces::deep, &OddPlaces::removed, &OddPlaces::mounted,
                     &OddPlaces::detached, &OddPlaces::behind_chroot, &OddPlaces::outside_chroot});
    }
    bool make_overlaid() { return have_own_mounts() && make({&OddPlaces::overlaid}); }
    /// errno of trying; 0: an overlay can be mounted.
    int try_overlay() {
        require(have_own_mounts());
        return mount_overlay() ? 0 : errno;
    }

  private:
    static bool have_own_mounts() {
        return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    }
    bool make(const std::vector<void (OddPlaces::*)()>& places) {
        bool all = true;
        for (void (OddPlaces::*place)() : places) {
            number_ += numbers_of_a_place;
            const pid_t child = fork();
            if (child == 0) {
                (this->*place)();
                call_without_rights();
                _exit(0);
            }
            int status = -1;
            all = waitpid(child, &status, 0) == child && status == 0 && all;
        }
        return all;
    }
    static void require(bool is_so) {
        if (!is_so)
            _exit(1);
    }
    std::string make_folder(const std::string& name) {
        const std::string path = folder_ + "/" + name;
        require(mkdir(path.c_str(), 0755) == 0);
        return path;
    }
    static void enter(const std::string& path) { require(chdir(path.c_str()) == 0); }

    void plain() { enter(make_folder("plain")); }
    void deep() {
        enter(make_folder("deep"));
        for (int i = 0; i < 100; i++) {
            const std::string name = i == 50 ? "the-shadow" : "a-name-of-some-length-" + std::to_string(i);
            require(mkdir(name.c_str(), 0755) == 0);
            enter(name);
        }
    }
    void removed() {
        const std::string path = make_folder("removed");
        enter(path);
        require(rmdir(path.c_str()) == 0);
    }
    void mounted() {
        const std::string path = make_folder("mounted"), bound = make_folder("bound-shadow");
        require(mount("none", path.c_str(), "tmpfs", 0, nullptr) == 0);
        require(mkdir((path + "/inner").c_str(), 0755) == 0);
        require(mount((path + "/inner").c_str(), bound.c_str(), nullptr, MS_BIND, nullptr) == 0);
        enter(bound);
    }
    void detached() {
        const std::string path = make_folder("detached");
        require(mount("none", path.c_str(), "tmpfs", 0, nullptr) == 0);
        enter(path);
        require(umount2(path.c_str(), MNT_DETACH) == 0);
    }
    void behind_chroot() {
        enter(make_folder("jail-shadow"));
        require(chroot(".") == 0);
    }
    void outside_chroot() {
        enter(make_folder("outside"));
        require(chroot(make_folder("jail").c_str()) == 0);
    }
    /// In a folder of the lower layer, where what is made goes to the upper one.
    void overlaid() {
        require(mount_overlay());
        enter(folder_ + "/overlaid/merged/plain");
    }
    bool mount_overlay() {
        const std::string path = make_folder("overlaid");
        require(mount("none", path.c_str(), "tmpfs", 0, nullptr) == 0);
        for (const char* name : {"lower", "lower/plain", "upper", "work", "merged"})
            make_folder(std::string("overlaid/") + name);
        const std::string layers =
            "lowerdir=" + path + "/lower,upperdir=" + path + "/upper,workdir=" + path + "/work";
        return mount("overlay", (path + "/merged").c_str(), "overlay", 0, layers.c_str()) == 0;
    }

    void call_without_rights() {
        for (const char* name : {"free", "free/.ssh"}) { // for files without a name
            (void)!mkdir(name, 0755);
            (void)!chmod(name, 0777);
        }
        (void)!mkdir("sub", 0755); // in a folder that is removed nothing can be made
        (void)!mkdir("sub/.ssh", 0755);
        close(open("sub/.ssh/id_rsa", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        (void)!symlink("sub/.ssh", "link");
        require(syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setresgid, user_, user_, user_) == 0 &&
                syscall(SYS_setresuid, user_, user_, user_) == 0);
        const int own = open(".", O_PATH | O_CLOEXEC), sub = open("sub", O_PATH | O_CLOEXEC);
        for (const std::string& name : names(std::to_string(own)))
            for (const int from : {AT_FDCWD, own, sub, -1})
                ask(from, register_value(name.c_str()));
        ask(AT_FDCWD, 0);
        ask(AT_FDCWD, 8); // where no memory is
        const int nameless = ask_nameless("free");
        close(ask_nameless("free/.ssh/../../sub/../free/.ssh"));
        if (chdir("/proc/self") == 0)
            for (const char* name : {"cwd/x", "fd/0", "exe", "root/x", "fd/0/x", "status"})
                ask(AT_FDCWD, register_value(name));
        ask_descriptors(nameless);
    }
    static std::vector<std::string> names(const std::string& fd) {
        std::string long_way, roundabout;
        while (long_way.size() < 4082)
            long_way += "./";
        for (int i = 0; i < 30; i++)
            roundabout += "sub/../";
        return {"x",
                "sub/x",
                "./sub//.ssh/./id_rsa",
                "../x",
                "../../shadow-x",
                "sub/.ssh/",
                "sub/.ssh/..",
                "",
                ".",
                "..",
                "/",
                "//",
                "/x",
                "//x//shadow",
                "link/id_rsa",
                "link",
                roundabout + "x",
                roundabout + ".ssh/id_rsa",
                long_way + "x/id_rsa", // 4090 bytes
                long_way + "xxxxxxx/id_rsa",
                long_way + long_way,
                std::string(255, 'x'),
                std::string(249, 'x') + "id_rsa",
                std::string(256, 'x'),
                "/proc/self/fd/" + fd + "/x",
                "/proc/self/fd/" + fd,
                "/dev/fd/" + fd + "/x",
                "/proc/thread-self/fd/" + fd + "/./x",
                "/proc/self/cwd/x",
                "/proc/self/cwd/.ssh/x",
                "/proc/self/root/x",
                "/proc/self/exe",
                "/proc/1/cwd/x",
                "/proc/1/root/x",
                "/proc/1/exe",
                "/proc/self/map_files/1-2",
                "/proc/self/status",
                "(deleted)",
                "\xff\x80shadow\x01",
                "sub/\xc3\xa9\xc3\xa9/id_rsa",
                "sub/.sshx",
                "sub/id_rs"};
    }

    long call(long nr, uint64_t a, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0) {
        return raw_syscall(nr, a, b, c, d, 0, number_++);
    }
    /// Nothing but looks at what the name stands for.
    void ask(int directory, uint64_t name) {
        const auto from = static_cast<uint64_t>(directory);
        close(static_cast<int>(call(SYS_openat, from, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
        call(SYS_newfstatat, from, name, 0, AT_EMPTY_PATH);
        call(SYS_readlinkat, from, name, 0, 0);
        call(SYS_faccessat, from, name, R_OK);
        ask_by_32_bits(directory, name);
    }
#ifdef __x86_64__ // which alone takes calls of another ABI from 64-bit code
    /// As 32-bit programs do. The number is in a register that none of these has an argument in.
    void ask_by_32_bits(int directory, uint64_t name) {
        constexpr long i386_openat = 295, i386_fstatat64 = 300, i386_readlinkat = 305, i386_faccessat = 307;
        if (!takes_32_bit_calls())
            return;
        require(low_memory_ != MAP_FAILED);
        if (name > 4096) {
            const auto* text = reinterpret_cast<const char*>(name);
            memcpy(low_memory_, text, strnlen(text, low_bytes - 1) + 1);
            name = register_value(low_memory_);
        }
        const auto from = static_cast<uint32_t>(directory), at = static_cast<uint32_t>(name);
        const auto number = [this] { return static_cast<uint32_t>(number_++); };
        close(static_cast<int>(
            raw_int80(i386_openat, from, at, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, number())));
        raw_int80(i386_fstatat64, from, at, 0, AT_EMPTY_PATH, number());
        raw_int80(i386_readlinkat, from, at, 0, 0, number());
        raw_int80(i386_faccessat, from, at, R_OK, 0, number());
    }

    static constexpr size_t low_bytes = 2 * 8192; ///< more than the longest name
    void* const low_memory_ =
        mmap(nullptr, low_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
#else
    static void ask_by_32_bits(int /*directory*/, uint64_t /*name*/) {}
#endif
    /// A file without a name in that folder; -1 where none can be made.
    int ask_nameless(const char* folder) {
        return static_cast<int>(
            call(SYS_openat, AT_FDCWD, register_value(folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    }
    void ask_descriptors(int nameless) {
        int both[2] = {-1, -1};
        require(pipe(both) == 0);
        for (const int file : {static_cast<int>(syscall(SYS_memfd_create, "shadow", 0)), both[0],
                               open("/proc/self/ns/mnt", O_RDONLY), open("/", O_PATH),
                               open("/proc/self/exe", O_PATH | O_NOFOLLOW), nameless, -1}) {
            const auto fd = static_cast<uint64_t>(file);
            const std::string link = "/proc/self/fd/" + std::to_string(file);
            ask(file, register_value(""));
            ask(AT_FDCWD, register_value(link.c_str()));
            close(static_cast<int>(call(SYS_dup, fd)));
            close(file);
        }
    }

    const std::string folder_;
    const uint32_t user_;
    uint64_t number_;
};

} // namespace

bool call_in_odd_places(const std::string& folder, uint32_t user, uint64_t number) {
    return OddPlaces(folder, user, number).make();
}

bool call_on_an_overlay(const std::string& folder, uint32_t user, uint64_t number) {
    return OddPlaces(folder, user, number).make_overlaid();
}

bool can_overlay(const std::string& folder) {
    const pid_t child = fork();
    if (child == 0)
        _exit(OddPlaces(folder, 0, 0).try_overlay() == ENODEV ? no_overlays : 0);
    int status = -1;
    return waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != no_overlays;
}

} // namespace kernel_test

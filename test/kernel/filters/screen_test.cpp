// SPDX-License-Identifier: MIT
// Records that the kernel side drops for their paths: none that user space would have wanted.
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <random>
#include <set>
#include <sys/syscall.h>
#include <unistd.h>

#include "telemetry/rules/rules.hpp"
#include "test/kernel/filters/screen_places.hpp"
#include "test/kernel/fixture.hpp"
#include "test/takes_32_bit.hpp"

namespace kernel_test {

namespace {

constexpr uint32_t screened_user = 70011; ///< whose calls are looked at

constexpr const char* file_names[] = {"a",
                                      "b1",
                                      "etc",
                                      "plain",
                                      "notes.txt",
                                      "authorized_keys",
                                      ".ssh",
                                      "id_rsa",
                                      "xid_rsa",
                                      "shadow",
                                      "the-shadow-of-it",
                                      "fourteen-bytes",
                                      "sixteen-bytes-16",
                                      "a-name-that-is-longer-than-what-a-dentry-has-room-for-in-itself"};

/// Paths at all distances from the places where the kernel side looks.
constexpr const char* screened_rules =
    "let keys = path ~ /.ssh/ path $ /id_rsa path $ _keys\n"
    "openat uid = 70011 && flags | (O_WRONLY|O_RDWR) && $keys\n"
    "openat uid = 70011 && flags = O_RDONLY && path ~ shadow && path $ .txt\n"
    "unlinkat uid = 70011 && path ~ room-for-in\n"
    "not unlinkat path $ plain\n"
    "mkdirat uid = 70011 && path ~ /.ssh path ~ /fourteen path = /nowhere\n"
    "symlinkat uid = 70011 && path ~ shadow-of\n"
    "renameat2 uid = 70011 && $keys path ~ /sixteen\n";
constexpr const char* screened_calls = "openat uid = 70011\nunlinkat uid = 70011\nmkdirat uid = 70011\n"
                                       "symlinkat uid = 70011\nrenameat2 uid = 70011\n";

constexpr uint64_t number_of_calls = 1500;
constexpr uint64_t first_number = 0x5c4ee00000000000; ///< which no other call has by chance
constexpr uint64_t last_number = first_number + 0xffffffff;

/// The same calls each time, on the same files: with names and links of all kinds, from the root, the
/// working directory and descriptors. Each has its number in a register that the kernel does not read.
class PathCalls {
  public:
    explicit PathCalls(std::string folder) : folder_(std::move(folder)) {}
    void make() {
        make_files();
        for (number_ = 0; number_ < number_of_calls; number_++) {
            if (number_ % 30 == 0 && chdir((folder_ + path(2)).c_str()) != 0)
                chdir(folder_.c_str());
            call();
        }
    }

  private:
    size_t below(size_t most) { return std::uniform_int_distribution<size_t>(0, most - 1)(random_); }
    const char* name() { return file_names[below(std::size(file_names))]; }
    std::string path(size_t longest) {
        std::string path;
        for (size_t length = 1 + below(longest); length > 0; length--)
            path.append("/").append(name());
        return path;
    }
    void make_files() {
        namespace fs = std::filesystem;
        std::error_code ignored;
        for (int i = 0; i < 150; i++) {
            const std::string folder = folder_ + path(4);
            fs::create_directories(folder, ignored);
            const int file = open((folder + path(1)).c_str(), O_CREAT | O_WRONLY, 0600);
            if (file >= 0)
                close(file);
            fs::create_symlink(folder_ + path(3), folder_ + path(3), ignored);
        }
    }
    /// As programs name files: whole, from a directory, roundabout.
    std::string written(int* directory) {
        *directory = AT_FDCWD;
        switch (below(6)) {
        case 0:
            return path(3).substr(1);
        case 1:
            *directory = open((folder_ + path(2)).c_str(), O_PATH);
            return path(2).substr(1);
        case 2:
            return folder_ + path(2) + "/../" + name();
        case 3: // which may lead to whatever is wanted
            *directory = open((folder_ + path(2)).c_str(), O_PATH);
            return "/proc/self/fd/" + std::to_string(*directory) + path(2);
        default:
            return folder_ + path(4);
        }
    }
    long raw(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d = 0, uint64_t e = 0) {
        return raw_syscall(nr, a, b, c, d, e, first_number + number_);
    }
    void call() {
        int directory = AT_FDCWD, other = AT_FDCWD;
        const std::string first = written(&directory), second = written(&other);
        const auto text = [](const std::string& path) { return register_value(path.c_str()); };
        const auto from = static_cast<uint64_t>(directory), to = static_cast<uint64_t>(other);
        constexpr uint64_t open_flags[] = {O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR | O_CREAT, O_PATH};
        switch (below(12)) {
        case 0:
            raw(SYS_unlinkat, from, text(first), 0);
            break;
        case 1:
            raw(SYS_mkdirat, from, text(first), 0700);
            break;
        case 2:
            raw(SYS_symlinkat, text(first), to, text(second));
            break;
        case 3:
            raw(SYS_renameat2, from, text(first), to, text(second), 0);
            break;
        default:
            close(static_cast<int>(raw(SYS_openat, from, text(first), open_flags[below(5)], 0600)));
        }
        close(directory);
        close(other);
    }

    const std::string folder_;
    std::mt19937 random_{20261130};
    uint64_t number_ = 0;
};

class ScreenTest : public testing::Test {
  public:
    /// With buffers that hold most of a test's events: with long paths in them, a slow machine reads them
    /// late.
    explicit ScreenTest(ebpf_loader::Tier tier) : options_(engine_options(tier)) {
        options_.buffer_bytes = 32 << 20;
    }

  protected:
    using Calls = std::function<void(const std::string& folder)>;
    struct Numbers {
        size_t made, wanted, wanted_of_32_bits, emitted;
    };

    /// The rules of the first text want the same of the calls, whether or not it selects them; the second
    /// text selects all of them.
    Numbers expect_same(const std::string& wanted, const std::string& all, const Calls& calls) {
        const auto rules = telemetry::Rules::parse(wanted, "rules of the test");
        const auto every = telemetry::Rules::parse(all, "calls of the test");
        const Run whole = run(every.compile(), rules, calls), screened = run(rules.compile(), rules, calls);
        for (const auto& [call, number] : whole.wanted)
            EXPECT_TRUE(screened.wanted.contains({call, number})) << call << " " << number - first_number;
        EXPECT_EQ(screened.wanted.size(), whole.wanted.size());
        EXPECT_EQ(screened.of_32_bits, whole.of_32_bits);
        EXPECT_GT(whole.all, 600u);
        EXPECT_GT(whole.wanted.size(), 200u);
        EXPECT_LT(screened.all, whole.all);
        printf("%zu calls, of which the rules want %zu and the kernel side emits %zu\n", whole.all,
               whole.wanted.size(), screened.all);
        return {whole.all, whole.wanted.size(), whole.of_32_bits, screened.all};
    }

  private:
    struct Run {
        std::set<std::pair<std::string, uint64_t>> wanted; ///< calls, by their numbers
        size_t all = 0, of_32_bits = 0;
        bool is_whole = false; ///< the kernel has skipped no hook
    };

    /// What of the calls the rules want, of those that an engine with this selection reports. Where the
    /// kernel skips hooks now and then, which has calls missing, they are made again.
    Run run(const ebpf_loader::Selection& selection, const telemetry::Rules& rules, const Calls& calls) {
        constexpr int most_attempts = 10;
        const int attempts = can_miss_runs(*options_.tier) ? most_attempts : 1;
        Run result;
        for (int i = 0; i < attempts && !result.is_whole; i++)
            result = run_once(selection, rules, calls);
        EXPECT_TRUE(result.is_whole);
        return result;
    }
    Run run_once(const ebpf_loader::Selection& selection, const telemetry::Rules& rules, const Calls& calls) {
        const TestFolder folder(base_folder() + "/screens");
        std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
        ebpf_loader::Engine engine(selection, options_);
        Collector collector(engine);
        engine.start();
        run_child([&] { calls(folder.path()); }, collector);
        collector.finish();
        EXPECT_EQ(collector.problems(can_miss_runs(*options_.tier)), "");
        Run run;
        run.is_whole = collector.stats().missed_runs == 0;
        for (const OwnedEvent& event : collector.take_events()) {
            const bool is_32_bit = event->abi == EBT_COMPAT_ABI;
            const uint64_t number = is_32_bit ? first_number + event->args[4] : event->args[5];
            if (event->uid != screened_user || number < first_number || number > last_number)
                continue;
            run.all++;
            if (!rules.matches(*event))
                continue;
            run.wanted.emplace(event->call->name, number);
            run.of_32_bits += is_32_bit;
        }
        return run;
    }

    ebpf_loader::EngineOptions options_;
};

class PathsTest : public ScreenTest {
  public:
    using ScreenTest::ScreenTest;

  private:
    void TestBody() override {
        const Numbers calls = expect_same(screened_rules, screened_calls, [](const std::string& folder) {
            raw_syscall(SYS_setresuid, screened_user, screened_user, screened_user);
            PathCalls(folder).make();
        });
        EXPECT_GE(calls.made, number_of_calls);
        EXPECT_LT(calls.emitted - calls.wanted, (calls.made - calls.wanted) / 2);
    }
};

class PlacesTest : public ScreenTest {
  public:
    using ScreenTest::ScreenTest;

  protected:
    using Places = bool (*)(const std::string& folder, uint32_t user, uint64_t number);

    void expect_same_in(Places places) {
        const std::string texts = "let paths = path ~ /.ssh/ path $ id_rsa path ~ shadow path ^ /secrets/ "
                                  "path = /etc/secrets path ~ \"(deleted)\"\n";
        std::string wanted = texts, all;
        for (const std::string call :
             {"openat", "newfstatat", "readlinkat", "faccessat", "fstatat64", "dup"}) {
            wanted += call + " uid = 70011 && $paths\n";
            all += call + " uid = 70011\n";
        }
        const Numbers calls = expect_same(wanted, all, [places](const std::string& folder) {
            if (!places(folder, screened_user, first_number))
                _exit(1);
        });
        if (EBT_NATIVE_ABI == EBT_X86_64 &&
            takes_32_bit_calls()) { // which alone takes them of 64-bit programs
            EXPECT_GT(calls.wanted_of_32_bits, 40u);
        }
    }

  private:
    void TestBody() override { expect_same_in(call_in_odd_places); }
};

class OverlayTest : public PlacesTest {
  public:
    using PlacesTest::PlacesTest;

  private:
    void SetUp() override {
        const TestFolder folder(base_folder() + "/overlays");
        if (!can_overlay(folder.path()))
            GTEST_SKIP() << "this kernel has no overlays";
    }
    void TestBody() override { expect_same_in(call_on_an_overlay); }
};

/// A selection that cannot replace another changes nothing, however often it is tried.
class RefusedTest : public testing::Test {
  public:
    explicit RefusedTest(ebpf_loader::Tier tier) : options_(engine_options(tier)) {
        options_.can_reselect = true;
    }

  private:
    static constexpr int unknown_calls[] = {1000, 1001};

    /// Of opens of files with that name. Numbers that the table does not know get rows in that order.
    static ebpf_loader::Selection selection(const std::string& name, bool in_order) {
        auto selected = telemetry::Rules::parse("openat uid = 70011 && path ~ " + name, "test").compile();
        for (const int i : {0, 1})
            selected.select_number(EBT_NATIVE_ABI, unknown_calls[in_order ? i : 1 - i], {}, true);
        return selected;
    }
    void TestBody() override {
        ebpf_loader::Engine engine(selection("wanted-by-the-first", true), options_);
        Collector collector(engine);
        engine.start();
        for (int i = 0; i < 2; i++)
            EXPECT_THROW(engine.widen(selection("looked-for-later", false)), ebpf_loader::Error);
        const auto open_three = [] {
            raw_syscall(SYS_setresuid, screened_user, screened_user, screened_user);
            uint64_t number = first_number; // it has its process's image with it, and comes in any case
            for (const char* name : {"/", "/plain", "/wanted-by-the-first"})
                raw_syscall(SYS_openat, static_cast<uint64_t>(AT_FDCWD), register_value(name), O_PATH, 0, 0,
                            number++);
        };
        const pid_t child = run_child(open_three, collector);
        collector.finish();
        std::set<uint64_t> reported;
        for (const OwnedEvent& event : collector.take_events())
            if (event->pid == static_cast<uint32_t>(child))
                reported.insert(event->args[5] - first_number);
        EXPECT_EQ(reported, (std::set<uint64_t>{0, 2}));
    }

    ebpf_loader::EngineOptions options_;
};

} // namespace

void register_screen_tests(ebpf_loader::Tier tier) {
    const std::string suite = "Screens." + std::string(tier_name(tier));
    add_test<PathsTest>(suite, "DropNothingThatIsWanted", tier);
    add_test<PlacesTest>(suite, "DropNothingInOddPlaces", tier);
    add_test<OverlayTest>(suite, "DropNothingOnOverlays", tier);
    add_test<RefusedTest>(suite, "StayWhereAReloadIsRefused", tier);
}

} // namespace kernel_test

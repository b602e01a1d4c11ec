// SPDX-License-Identifier: MIT
#include "telemetry/hash/executable.hpp"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "telemetry/stack/code_files.hpp"

using ebpf_loader::UniqueFd;

namespace telemetry {
namespace {

constexpr size_t piece_bytes = 256 * 1024;
/// For opening alone: two tables of mounts.
constexpr Work most_work = {.reads = 1000, .bytes = 1 << 20, .entries = 100'000};

/// As stat(2) has it.
uint64_t device_of(uint32_t kernel_device) {
    return makedev(device_major(kernel_device), device_minor(kernel_device));
}

/// Not so in 6.11 and 6.12. Where it cannot be tried, nothing is taken for granted.
bool is_writing_denied(const std::string& proc_root) {
    const UniqueFd file(::open((proc_root + "/self/exe").c_str(), O_WRONLY | O_CLOEXEC));
    return !file && errno == ETXTBSY;
}

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::pair<int64_t, int64_t> pair_of(const timespec& time) {
    return {time.tv_sec, time.tv_nsec};
}

/// All that tells whether the file was written to.
auto state_of(const struct stat& status) {
    return std::tuple(status.st_ino, status.st_size, pair_of(status.st_mtim), pair_of(status.st_ctim));
}

} // namespace

ExecutableReader::ExecutableReader(const std::string& proc_root, uint64_t most_bytes,
                                   std::function<bool()> goes_on)
    : proc_root_(proc_root), procfs_(proc_root), host_(proc_root), most_bytes_(most_bytes),
      goes_on_(std::move(goes_on)), denies_writing_(is_writing_denied(proc_root)) {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); // which could name libraries to be loaded
}

/// What the file says of itself. Its inode's time also changes when it gets or loses a name or rights: while
/// a process executes it that cannot hide another content, since nobody writes to it then.
bool ExecutableReader::is_version(int file, const FileVersion& version) const {
    struct stat status {};
    if (fstat(file, &status) != 0 || static_cast<uint64_t>(status.st_size) != version.size)
        return false;
    const std::pair<int64_t, int64_t> executed(version.changed_s, version.changed_ns);
    return pair_of(status.st_ctim) == executed || (denies_writing_ && pair_of(status.st_mtim) <= executed);
}

ExecutableReader::Result ExecutableReader::read(const Request& request) {
    const std::string folder = proc_root_ + '/' + std::to_string(request.pid);
    const UniqueFd process(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto is_still_there = [&] {
        const auto now = process ? procfs_.stat(request.pid) : std::nullopt;
        return now && !now->is_exiting && now->start_ticks == procfs_.ticks(request.start_time_ns);
    };
    if (!is_still_there())
        return {Outcome::gone, {}};
    if (request.version.size > most_bytes_)
        return {Outcome::refused, {}};
    WorkBudget budget(most_work);
    CodeFiles files(proc_root_, process.get(), host_, budget);
    const UniqueFd file = files.open_executable(device_of(request.version.device));
    struct stat before {
    }, after{};
    if (!file || fstat(file.get(), &before) != 0)
        return {is_still_there() ? Outcome::refused : Outcome::gone, {}};
    if (before.st_ino != request.version.inode)
        return {Outcome::gone, {}}; // it has executed something else
    if (!is_version(file.get(), request.version))
        return {Outcome::changed, {}};
    const Result result = hash(file.get());
    const bool is_same = fstat(file.get(), &after) == 0 && state_of(before) == state_of(after);
    return is_same || result.outcome != Outcome::hashed ? result : Result{Outcome::changed, {}};
}

ExecutableReader::Result ExecutableReader::hash(int file) const {
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
        return {Outcome::refused, {}};
    std::vector<char> piece(piece_bytes);
    for (uint64_t done = 0; done <= most_bytes_;) {
        if (!goes_on_())
            return {Outcome::stopped, {}};
        const ssize_t got = pread(file, piece.data(), piece.size(), static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return {Outcome::refused, {}};
        if (got == 0)
            break;
        EVP_DigestUpdate(context.get(), piece.data(), static_cast<size_t>(got));
        done += static_cast<uint64_t>(got);
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    Result result{Outcome::hashed, {}};
    if (EVP_DigestFinal_ex(context.get(), digest, &size) != 1 || size * 2 != result.sha256.size())
        return {Outcome::refused, {}};
    for (size_t i = 0; i < result.sha256.size(); ++i)
        result.sha256[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return result;
}

} // namespace telemetry

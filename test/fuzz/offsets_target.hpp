// SPDX-License-Identifier: MIT
// What must hold for any file that offsets are read from: a config, raw BTF or an ELF image with BTF in it.
// The first byte of an input says which.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>
#include <ebpf_loader/unique_fd.hpp>

namespace offsets_fuzz {

using ebpf_loader::Offsets;

[[noreturn]] inline void broken(const char* what) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// A file in memory alone.
class MemoryFile {
  public:
    explicit MemoryFile(std::string_view bytes) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
        if (write(fd_.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            broken("no file in memory");
    }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

  private:
    ebpf_loader::UniqueFd fd_;
};

/// Nothing when it is refused, as it may be, by an Error.
template <typename Read> std::optional<Offsets> read(std::string_view bytes, const Read& reader) {
    const MemoryFile file(bytes);
    try {
        Offsets offsets = reader(file.path());
        try {
            ebpf_loader::require_sound(offsets);
        } catch (const ebpf_loader::Error&) {
        }
        return offsets;
    } catch (const ebpf_loader::Error& error) {
        if (*error.what() == '\0')
            broken("an error without a message");
        return std::nullopt;
    }
}

/// What was read is read again as it was from what is written of it.
inline void fuzz_config(std::string_view text) {
    const auto offsets = read(text, &Offsets::from_config);
    if (!offsets)
        return;
    std::ostringstream written;
    offsets->write_config(written);
    const auto again = read(written.str(), &Offsets::from_config);
    if (!again || again->release != offsets->release)
        broken("a config that was written cannot be read");
    for (size_t row = 0; row < ebpf_loader::offset_rows().size(); ++row)
        if (again->get(row) != offsets->get(row))
            broken("an offset changed on the way");
}

inline void fuzz_offsets(std::string_view input) {
    if (input.empty())
        return;
    const bool is_config = input[0] % 2 == 0;
    input.remove_prefix(1);
    if (is_config)
        fuzz_config(input);
    else
        read(input, &Offsets::from_btf);
}

} // namespace offsets_fuzz

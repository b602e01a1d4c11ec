// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/kernel_image.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <memory>
#include <string_view>
#include <sys/utsname.h>
#include <utility>

namespace ebpf_loader {

std::string kernel_btf_path() {
    const char* override_path = secure_getenv("EBPF_TELEMETRY_BTF");
    return override_path && *override_path ? override_path : "/sys/kernel/btf/vmlinux";
}

std::string running_release() {
    utsname names{};
    return uname(&names) == 0 ? names.release : "";
}

bool is_running_since(int version, int patchlevel) {
    int running_version = 0, running_patchlevel = 0;
    sscanf(running_release().c_str(), "%d.%d", &running_version, &running_patchlevel);
    return std::pair(running_version, running_patchlevel) >= std::pair(version, patchlevel);
}

namespace {

/// linux_banner starts so; linux_proc_banner too, but with a %s in place of the release.
std::string release_in_banner(std::string_view text) {
    constexpr std::string_view prefix = "Linux version ";
    constexpr size_t longest_release = 64; // __NEW_UTS_LEN
    for (size_t at = text.find(prefix); at != text.npos; at = text.find(prefix, at + 1)) {
        std::string_view rest = text.substr(at + prefix.size(), longest_release + 1);
        size_t end = rest.find(' ');
        if (end != rest.npos && end > 0 && rest[0] >= '0' && rest[0] <= '9')
            return std::string(rest.substr(0, end));
    }
    return {};
}

/// Some sections have a size, and nothing in the file: SHT_NOBITS.
std::string_view bytes_of(Elf_Scn* section, const GElf_Shdr& header) {
    const Elf_Data* data = header.sh_type == SHT_NOBITS ? nullptr : elf_rawdata(section, nullptr);
    return data && data->d_buf ? std::string_view(static_cast<const char*>(data->d_buf), data->d_size) : "";
}

std::string_view bytes_of_section(Elf* elf, std::string_view wanted) {
    size_t names = 0;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return {};
    for (Elf_Scn* section = elf_nextscn(elf, nullptr); section; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        const char* name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : nullptr;
        if (!name || name != wanted)
            continue;
        if (const std::string_view bytes = bytes_of(section, header); !bytes.empty())
            return bytes;
    }
    return {};
}

} // namespace

bool visit_section(const std::string& file, std::string_view name,
                   const std::function<void(std::string_view)>& visit) {
    if (elf_version(EV_CURRENT) == EV_NONE)
        return false;
    const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return false;
    const std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_begin(fd.get(), ELF_C_READ_MMAP, nullptr), elf_end);
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF)
        return false;
    const std::string_view bytes = bytes_of_section(elf.get(), name);
    if (!bytes.empty())
        visit(bytes);
    return !bytes.empty();
}

std::string release_of_image(const std::string& file) {
    std::string release;
    visit_section(file, ".rodata", [&](std::string_view bytes) { release = release_in_banner(bytes); });
    return release;
}

} // namespace ebpf_loader

// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/text.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include <cerrno>
#include <fcntl.h>

namespace ebpf_loader {

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const size_t first = text.find_first_not_of(blanks);
    if (first == text.npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string printable(std::string_view text, size_t longest) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned char c : text.substr(0, longest)) {
        if (c >= 0x20 && c < 0x7f)
            out += static_cast<char>(c);
        else
            out += {'\\', 'x', digits[c >> 4], digits[c & 15]};
    }
    return text.size() > longest ? out + "..." : out;
}

std::string in_quotes(std::string_view text, size_t longest) {
    return '"' + printable(text, longest) + '"';
}

std::optional<std::string> read_file(const std::string& file, size_t limit) {
    const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return std::nullopt;
    std::string text(limit, '\0');
    size_t size = 0;
    while (size < limit) {
        const ssize_t got = read(fd.get(), text.data() + size, limit - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return std::nullopt;
        if (got == 0)
            break;
        size += static_cast<size_t>(got);
    }
    text.resize(size);
    return text;
}

} // namespace ebpf_loader

// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/abi/record.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ebpf_loader {

/// Looks into a record as Engine::poll hands it over. Copies as it goes, for programs that
/// want a few fields; the bytes have to live as long as what find() returns.
class RecordView {
  public:
    explicit RecordView(std::span<const std::byte> record) : record_(record) {
        if (record.size() >= sizeof(header_))
            memcpy(&header_, record.data(), sizeof(header_));
    }

    const ebt_header& header() const { return header_; }

    struct Field {
        ebt_field head{};
        std::string_view content;
    };
    /// The field of this kind and argument.
    std::optional<Field> find(ebt_field_kind kind, uint8_t arg = EBT_ARG_NONE) const {
        size_t at = sizeof(ebt_header);
        Field field;
        while (at + sizeof(field.head) <= record_.size()) {
            memcpy(&field.head, record_.data() + at, sizeof(field.head));
            at += sizeof(field.head);
            if (field.head.length > record_.size() - at)
                break;
            field.content = {reinterpret_cast<const char*>(record_.data() + at), field.head.length};
            if (field.head.kind == kind && field.head.arg == arg)
                return field;
            at += (field.head.length + 7) & ~size_t{7};
        }
        return std::nullopt;
    }

    /// The path in a field, from the root of the mount namespace: of EBT_FIELD_EXE,
    /// _CWD, _ROOT, _FILE or _DIR.
    std::string path(const Field& field) const {
        std::string_view own = field.content;
        if (field.head.kind == EBT_FIELD_EXE || field.head.kind == EBT_FIELD_FILE)
            own.remove_prefix(std::min(own.size(), sizeof(ebt_inode)));
        std::string components(own);
        if (field.head.flags & EBT_BELOW_CWD) // the rest is in the record once
            if (const auto cwd = find(EBT_FIELD_CWD))
                components += cwd->content;
        return join(components);
    }

    /// "passwd\0etc\0" is "/etc/passwd".
    static std::string join(std::string_view components) {
        std::string path;
        while (!components.empty()) {
            const size_t end = components.find('\0');
            path.insert(0, "/" + std::string(components.substr(0, end)));
            components.remove_prefix(end == std::string_view::npos ? components.size() : end + 1);
        }
        return path.empty() ? "/" : path;
    }

  private:
    std::span<const std::byte> record_;
    ebt_header header_{};
};

} // namespace ebpf_loader

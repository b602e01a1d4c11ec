// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/record.h>
#include <ebpf_loader/syscalls.hpp>
#include <gtest/gtest.h>

/// Makes records as the eBPF programs do, and on request as they never would.
class RecordBuilder {
  public:
    ebt_header header{};

    RecordBuilder() {
        header.version = EBT_RECORD_VERSION;
        header.kind = EBT_SYSCALL;
        header.sequence = 1;
        header.time = 5'000'000'000;
        header.start_time = 1'000'000'000;
        header.tgid = 100;
        header.tid = 101;
        header.ppid = 1;
        header.exec_id = 3;
        header.auid = header.ses = 0xffffffff;
        std::strcpy(header.comm, "prog");
        header.nr = -1;
    }

    explicit RecordBuilder(std::string_view call) : RecordBuilder() {
        const ebpf_loader::SyscallRow* row = ebpf_loader::find_syscall(call);
        if (!row) {
            ADD_FAILURE() << "no system call " << call;
            return;
        }
        header.row = ebpf_loader::row_of(*row);
        header.nr = row->number[EBT_X86_64];
    }

    /// What a field says of itself besides its kind and bytes.
    struct Detail {
        uint8_t arg = EBT_ARG_NONE;
        uint8_t status = EBT_OK;
        uint8_t flags = 0;
        uint32_t original = 0; ///< 0: as long as the bytes
    };

    RecordBuilder& field(uint8_t kind, std::string_view bytes, Detail detail) {
        ebt_field head{};
        head.kind = kind;
        head.status = detail.status;
        head.arg = detail.arg;
        head.flags = detail.flags;
        head.length = static_cast<uint32_t>(bytes.size());
        head.original = detail.original ? detail.original : head.length;
        append(&head, sizeof head);
        append(bytes.data(), bytes.size());
        fields_.resize((fields_.size() + 7) & ~size_t{7}, '\0');
        ++header.fields;
        return *this;
    }
    RecordBuilder& field(uint8_t kind, std::string_view bytes) { return field(kind, bytes, Detail{}); }

    /// EXE or FILE: an inode, then "/a/b" as components.
    RecordBuilder& file(uint8_t kind, std::string_view path, ebt_inode inode, Detail detail) {
        return field(kind, bytes_of(inode) + components(path), detail);
    }
    RecordBuilder& file(uint8_t kind, std::string_view path, ebt_inode inode) {
        return file(kind, path, inode, Detail{});
    }

    std::vector<std::byte> bytes() const {
        ebt_header complete = header;
        complete.size = static_cast<uint32_t>(sizeof complete + fields_.size());
        std::vector<std::byte> record;
        for (const auto part : {std::as_bytes(std::span(&complete, 1)), std::as_bytes(std::span(fields_))})
            record.insert(record.end(), part.begin(), part.end());
        return record;
    }

    /// "/a/b" as "b\0a\0".
    static std::string components(std::string_view path) {
        std::string result;
        while (!path.empty()) {
            size_t slash = path.rfind('/');
            size_t begin = slash == path.npos ? 0 : slash + 1;
            if (begin < path.size())
                result.append(path.substr(begin)).push_back('\0');
            path = path.substr(0, slash == path.npos ? 0 : slash);
        }
        return result;
    }

    /// Strings, each ended by NUL.
    static std::string list(std::initializer_list<std::string_view> strings) {
        std::string result;
        for (std::string_view string : strings)
            result.append(string).push_back('\0');
        return result;
    }

    template <typename Struct> static std::string bytes_of(const Struct& value) {
        return {reinterpret_cast<const char*>(&value), sizeof value};
    }

  private:
    void append(const void* data, size_t size) { fields_.append(static_cast<const char*>(data), size); }

    std::string fields_;
};

// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "telemetry/event/event.hpp"
#include "telemetry/output/constant_names.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/fields/fields.hpp"

namespace telemetry {

/// event.kind, .action, .category and .type of what is called `name`, as members that follow others.
std::string json_class(const EcsClass& is, std::string_view name, const FieldSet& fields);

/// The part of a line of JSON that is the same for each event of a system call, made once.
struct JsonCall {
    JsonCall(const ebpf_loader::SyscallRow& row, const ConstantNames& names, const FieldSet& fields);

    struct Argument {
        std::string key;       ///< "dirfd":"
        std::string_view name; ///< dirfd
        int constants = ConstantNames::no_set;
        bool is_flags = false;                      ///< several of the constants at once
        bool is_shown_by_what_it_points_to = false; ///< a path, a string, a list of them, a structure
    };
    std::string code;    ///< event.code, a member of the object `event`; empty if it is not chosen
    std::string done;    ///< of the object `event`: kind, action, category and type
    std::string failed;  ///< the same, of a call that failed
    std::string syscall; ///< the object `linux.syscall`, up to its number
    std::array<Argument, EBT_ARGS> argument;
    std::array<uint64_t, EBT_ARGS> shown{}; ///< all bits of the arguments whose values are written
    bool is_open = false;                   ///< what was done depends on more than the call
    OpenFlags open_flags;
    bool names_constants = false;
};

/// event.code as a member that follows others: which kind of event it is. Empty if it is not chosen.
std::string json_code(std::string_view code, const FieldSet& fields);

/// By row of the table of system calls; rows that are not of the table are made as they come.
class JsonCalls {
  public:
    JsonCalls(const ConstantNames& names, const FieldSet& fields);
    const JsonCall& of(const ebpf_loader::SyscallRow& row);

  private:
    const ConstantNames& names_;
    const FieldSet fields_;
    std::vector<JsonCall> calls_;
    std::vector<std::pair<const ebpf_loader::SyscallRow*, JsonCall>> others_;
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/app/advice.hpp"

namespace telemetry {

namespace {

using ebpf_loader::Error;
using ebpf_loader::ErrorCause;
using ebpf_loader::ErrorCode;

#define MAKE_CONF "cd get_offsets && make conf > ../ebpf_telemetry.conf"

const char* advice_for(ErrorCause cause) {
    switch (cause) {
    case ErrorCause::config_unreadable:
        return "\nMake one: " MAKE_CONF;
    case ErrorCause::config_line:
        return "\nCorrect the line (get_offsets/get_offsets --list names all fields), or make the file "
               "again: " MAKE_CONF;
    case ErrorCause::config_incomplete:
        return "\nMake it again: " MAKE_CONF;
    case ErrorCause::other_release:
        return "\nMake a config for this kernel: " MAKE_CONF
               "\nor, if you know that both kernels lay out their structures alike, add --any-release.";
    case ErrorCause::offsets_unsound:
        return "\nMake a new config for this kernel: " MAKE_CONF;
    case ErrorCause::kernel_btf_missing:
    case ErrorCause::btf_ambiguous:
        return "\nGive the offsets of this kernel in a config file; get_offsets/README.md says where to get "
               "one.";
    case ErrorCause::kernel_btf_unreadable:
        return "\nRun as root, or give the offsets in a config file (see get_offsets/README.md).";
    case ErrorCause::file_without_btf:
        return "\nFrom an uncompressed kernel image with debug information, make a config: "
               "get_offsets --vmlinux FILE > ebpf_telemetry.conf";
    case ErrorCause::not_discovered:
        return "\nMake a config from the kernel's debug information or headers instead "
               "(see get_offsets/README.md).";
    case ErrorCause::offsets_refuted:
        return "\nIf they came from a config, make it again (" MAKE_CONF "), or, where the kernel has BTF, "
               "start without one (-c none)";
    case ErrorCause::buffer_refused:
        return "; try a smaller --buffer-size";
    case ErrorCause::memory_limit: // with_advice() names the sizes
    case ErrorCause::other:
        break;
    }
    return "";
}

const char* advice_for(ErrorCode code) {
    if (code == ErrorCode::privileges)
        return "; run as root (sudo); a container needs these capabilities";
    if (code == ErrorCode::tiers)
        return "\n--probe shows what this kernel supports; please report this error with its output";
    return "";
}

std::string mib(size_t bytes) {
    return std::to_string((bytes + (1 << 20) - 1) >> 20);
}

std::string memory_limit(const ebpf_loader::MemoryLimitError::Sizes& is) {
    std::string text = "--max-memory " + mib(is.limit) + " is too low: the program needs " + mib(is.besides) +
                       " MiB and its buffers " + mib(is.buffers) + " MiB; set it to " +
                       mib(is.besides + is.buffers) + " or more";
    if (is.buffers > is.least)
        text += ", or to " + mib(is.besides + is.least) + " or more with a smaller --buffer-size";
    return text;
}

} // namespace

std::string with_advice(const Error& error) {
    if (const auto* limit = dynamic_cast<const ebpf_loader::MemoryLimitError*>(&error))
        return memory_limit(limit->sizes());
    return error.what() + std::string(advice_for(error.cause())) + advice_for(error.code());
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <ebpf_loader/random.hpp>

namespace telemetry {

/// Of version 4. Boost's own generator would wait for entropy early in a boot.
inline std::string random_uuid() {
    ebpf_loader::RandomBits bits;
    return to_string(boost::uuids::basic_random_generator<ebpf_loader::RandomBits>(bits)());
}

} // namespace telemetry

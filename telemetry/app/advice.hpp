// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include <ebpf_loader/error.hpp>

namespace telemetry {

/// What failed and what the user of this program can do about it: the library reports only the
/// former, since it knows neither the program's options nor the files that come with it.
std::string with_advice(const ebpf_loader::Error& error);

} // namespace telemetry

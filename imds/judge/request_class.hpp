// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "imds/judge/classify.hpp"
#include "imds/model/provider.hpp"

namespace telemetry::imds {

/// Is it a path as EC2 has them, and other providers too: /latest/..., /2021-07-15/...?
bool is_ec2_style(const std::vector<std::string>& path);

/// What is requested, by the paths that the provider documents. For an unknown provider, the paths of all
/// providers are tried.
RequestClass find_class(Provider provider, std::string_view method, const std::vector<std::string>& path,
                        std::string_view query);

} // namespace telemetry::imds

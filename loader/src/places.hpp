// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <string_view>
#include <vector>

namespace ebpf_loader {

/// Where a field may be: a structure, and the members that lead to it.
struct Place {
    std::string_view structure;
    std::vector<std::string_view> members;
};

/// Splits "sock.__sk_common.skc_num|inet_sock.num", keeping the order.
std::vector<Place> parse_places(std::string_view text);

} // namespace ebpf_loader

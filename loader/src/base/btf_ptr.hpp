// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <bpf/btf.h>
#include <memory>

namespace ebpf_loader {

struct BtfDeleter {
    void operator()(btf* types) const { btf__free(types); }
};
using BtfPtr = std::unique_ptr<btf, BtfDeleter>;

} // namespace ebpf_loader

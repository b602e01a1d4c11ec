// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <bpf/btf.h>
#include <memory>

namespace ebpf_loader {

/// The running kernel's BTF, at kernel_btf_path(). It has some hundred thousand types, and a start asks for
/// it several times: it is kept until forget_kernel_btf(). Null, with errno, where it cannot be read.
std::shared_ptr<const btf> kernel_btf();

/// Gives its memory back, some 8 MB, as far as nobody else holds it.
void forget_kernel_btf();

} // namespace ebpf_loader

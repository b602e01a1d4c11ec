// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <bpf/libbpf.h>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace ebpf_loader {

/// A memory mapping that unmaps itself.
class Mapping {
  public:
    Mapping() = default;
    Mapping(void* address, size_t bytes) : address_(address), bytes_(bytes) {}
    Mapping(Mapping&& other) noexcept
        : address_(std::exchange(other.address_, nullptr)), bytes_(other.bytes_) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(address_, other.address_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Mapping() {
        if (address_)
            munmap(address_, bytes_);
    }
    std::byte* data() const { return static_cast<std::byte*>(address_); }

  private:
    void* address_ = nullptr;
    size_t bytes_ = 0;
};

struct ObjectDeleter {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using ObjectPtr = std::unique_ptr<bpf_object, ObjectDeleter>;

struct LinkDeleter {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using LinkPtr = std::unique_ptr<bpf_link, LinkDeleter>;

} // namespace ebpf_loader

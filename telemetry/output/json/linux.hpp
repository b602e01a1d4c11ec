// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "telemetry/event/event.hpp"
#include "telemetry/output/constant_names.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/output/fragment_cache.hpp"
#include "telemetry/output/json/calls.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/json/process.hpp"
#include "telemetry/output/network/address.hpp"

namespace telemetry {

/// The object `linux`: what the Elastic Common Schema has no place for. To be written last,
/// since its notes are about the fields before it.
class JsonLinux {
  public:
    explicit JsonLinux(const FormatContext& context);

    const JsonCall& call(const ebpf_loader::SyscallRow& row) { return calls_.of(row); }
    void put(JsonLine& line, const Event& event, const JsonCall* call, const Ends& ends,
             JsonProcess& process);
    void put_loss(JsonLine& line, const LossEvent& loss);
    void put_heartbeat(JsonLine& line, const Heartbeat& heartbeat);
    void put_checkpoint(JsonLine& line, const Checkpoint& checkpoint);

  private:
    /// All that the beginning of a call's object is made of.
    struct Called {
        const JsonCall* call = nullptr;
        const FieldSet* fields = nullptr;
        int32_t nr = 0;
        uint32_t missing = 0;
        ebt_abi abi = EBT_X86_64;
        std::array<uint64_t, EBT_ARGS> args{}; ///< those that are shown
        bool operator==(const Called&) const = default;
    };

    void put_syscall(JsonLine& line, const Event& event, const JsonCall* call);
    void put_called(JsonLine& line, const Event& event, const JsonCall& call);
    void render_called(JsonLine& line, const Event& event, const JsonCall* call);
    void put_constants(JsonLine& line, const Event& event, const JsonCall& call);
    void put_process(JsonLine& line, const Event& event, JsonProcess& process); ///< in linux_process.cpp
    void put_executable(JsonLine& line, const InodeInfo& inode);
    void put_telemetry(JsonLine& line, const Event& event);

    ConstantNames names_;
    FragmentCache<InodeInfo, 256> executables_;
    FragmentCache<Called, 256> called_;
    JsonCalls calls_;
    const ImageNamespaces first_;
    std::string tier_; ///< a member of the object `telemetry`
};

} // namespace telemetry

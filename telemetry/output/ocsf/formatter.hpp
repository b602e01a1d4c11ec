// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <string>
#include <utility>

#include "telemetry/output/formatter.hpp"
#include "telemetry/output/json/linux.hpp"
#include "telemetry/output/json/process.hpp"
#include "telemetry/output/network/community_id.hpp"
#include "telemetry/output/ocsf/classes.hpp"
#include "telemetry/output/ocsf/process.hpp"

namespace telemetry {

/// One object a line, in the shape of the Open Cybersecurity Schema Framework; what the schema has no place
/// for is under `unmapped`. docs/output.md says which event is of which class.
class OcsfFormatter final : public Formatter {
  public:
    explicit OcsfFormatter(const FormatContext& context);

    void format(const Event& event, std::string& out) override;
    void format(const LossEvent& loss, std::string& out) override;
    void format(const Document& document, std::string& out) override;

  private:
    void begin(uint64_t time_ns);
    void put_uid(const Event& event);
    void put_fold(const Fold& fold, uint64_t last_ns);
    void put_classification(const Event& event, OcsfKind kind);
    void put_status(const Event& event);
    void put_actor(const Event& event, OcsfKind kind);
    void put_process(const Event& event);
    void put_session(const Event& event);
    void put_object(const Event& event, OcsfKind kind, const Ends& ends, SocketRole role);
    void put_unmapped(const Event& event, const Ends& ends);
    void end(std::string& out);

    JsonLine line_;
    Timestamp time_;
    JsonProcess ids_;
    OcsfProcess process_;
    JsonLinux linux_;
    CommunityId community_id_;
    const ImageNamespaces first_;
    std::string metadata_; ///< the beginning of each line, up to the identifier
    std::string rest_of_metadata_;
    std::string device_;
    /// What a kind of event is called, by class, activity and, where none of the activities says it, the
    /// call.
    std::map<std::pair<uint32_t, const ebpf_loader::SyscallRow*>, std::string> classifications_;
    uint64_t losses_ = 0, documents_ = 0;
};

} // namespace telemetry

// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/output/audit/line.hpp"
#include "telemetry/output/audit/names.hpp"
#include "telemetry/output/field_notes.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry {

/// An event as records of Linux's audit system, for those who read these. docs/output.md describes each.
class AuditFormatter final : public Formatter {
  public:
    AuditFormatter(const FormatContext& context, bool enriches)
        : names_(context.accounts), first_(context.first), enriches_(enriches) {}

    void format(const Event& event, std::string& out) override;
    void format(const LossEvent& loss, std::string& out) override;
    void format(const Document& document, std::string& out) override;

  private:
    void collect_remarks(const Event& event);
    void note_paths(const Event& event);
    void note_addresses(const Event& event);
    void put_records(const Event& event);
    void put_call(const Event& event);
    void put_open_how(const Event& event);
    void put_result(const Event& event);
    void put_arguments(const Event& event);
    void put_task(const Event& event);
    void put_program(const Event& event);
    void put_key(const Event& event);
    void put_addresses(const Event& event);
    void put_cwd(const Event& event);
    void put_paths(const Event& event);
    void put_path(const PathField& path, const Text* called, std::string_view type, unsigned item);
    void put_title(const Event& event);
    void put_crash(const Event& event);
    void put_message(const Event& event);
    void put_own_ids();
    void end_event() {
        line_.begin("EOE");
        line_.end();
    }

    AuditLine line_;
    LineBuffer remarks_; ///< what there is to know besides, as the text format says it
    FieldNotes notes_;
    AuditNames names_;
    const ImageNamespaces first_;
    const bool enriches_;
};

/// The kernel reports a process that ended like this by itself, as ANOM_ABEND.
bool is_audit_crash(int64_t wait_status);

} // namespace telemetry

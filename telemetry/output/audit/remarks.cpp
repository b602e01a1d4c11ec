// SPDX-License-Identifier: MIT
// What there is to know about an event besides its records.
#include <array>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/audit/formatter.hpp"
#include "telemetry/output/audit/limits.hpp"
#include "telemetry/output/audit/sockaddr.hpp"
#include "telemetry/output/network/address.hpp"
#include "telemetry/output/remarks.hpp"

namespace telemetry {

using namespace audit;

namespace {

constexpr std::array<std::string_view, 4> numbered_paths = {"path1", "path2", "path3", "path4"};
constexpr std::array<std::string_view, 4> numbered_calls = {"called_path1", "called_path2", "called_path3",
                                                            "called_path4"};

/// The text as a note should have it that is cut when it is written.
template <class Field> Field noted(Field text, size_t longest, AuditRule rule) {
    if (text.known() && AuditLine::size_of(text.bytes, rule) > longest) {
        text.status = Status::truncated;
        text.original_length = std::max(text.original_length, static_cast<uint32_t>(text.bytes.size()));
    }
    return text;
}

/// Does the length alone rule out that it is cut?
constexpr bool is_short(const Text& text, size_t longest) {
    return 2 * text.bytes.size() + 2 <= longest;
}

} // namespace

/// They stand in the first record, and so are collected before it is written.
void AuditFormatter::collect_remarks(const Event& event) {
    const Image& image = event.image;
    notes_.clear();
    notes_.set_foreign(is_elsewhere(image.namespaces.mnt, first_.mnt));
    if (has_shared_arguments(event))
        notes_.add_mark({"args"}, Mark::shared);
    notes_.add({"tty"}, image.tty);
    if (image.exe.status == Status::absent)
        notes_.add_missing({"exe"});
    else if (is_short(image.exe, longest_exe)) [[likely]]
        notes_.add_path({"exe"}, image.exe, false);
    else
        notes_.add_path({"exe"}, noted(image.exe, longest_exe, AuditRule::strict), false);
    notes_.add_directory({"cwd"}, is_short(event.cwd, longest_path)
                                      ? event.cwd
                                      : noted(event.cwd, longest_path, AuditRule::kernel));
    note_paths(event);
    if (has_new_image(event)) {
        if (event.witnessed)
            notes_.add_path({"interpreter"}, event.witnessed->interpreter, false);
        notes_.add_expected({"cmdline"}, image.argv);
    }
    note_addresses(event);
    remarks_.clear();
    if (event.via_io_uring)
        remarks_.put(" via=io_uring");
    put_execution(remarks_, event);
    if (event.fold)
        put_own_number(remarks_, " folded=", event.fold->count);
    if (event.interrupted)
        remarks_.put(" interrupted=yes");
    if (event.tid != event.pid)
        put_own_number(remarks_, " tid=", event.tid);
    const ImageNamespaces& in = image.namespaces;
    if (is_elsewhere(in.mnt, first_.mnt))
        put_own_number(remarks_, " mnt_ns=", in.mnt);
    if (is_elsewhere(in.pid, first_.pid))
        put_own_number(remarks_, " pid_ns=", in.pid);
    if (is_elsewhere(in.user, first_.user))
        put_own_number(remarks_, " user_ns=", in.user);
    put_notes(remarks_, notes_);
    put_missing(remarks_, event, notes_);
    if (event.dropped_before)
        put_own_number(remarks_, " dropped_before=", event.dropped_before);
}

void AuditFormatter::note_paths(const Event& event) {
    if (event.root.status != Status::absent)
        notes_.add_directory({"chroot"},
                             noted(event.root, left_by(event.cwd, AuditRule::kernel), AuditRule::kernel));
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i) {
        const PathField& path = event.path[i];
        const bool is_only = event.paths == 1;
        const std::string_view name = is_only ? "path" : numbered_paths[i];
        if (is_short(path, longest_path)) [[likely]]
            notes_.add_path({name}, path, is_free_text(event, path));
        else
            notes_.add_path({name}, noted(path, longest_path, AuditRule::strict), is_free_text(event, path));
        if (event.witnessed)
            notes_.add(
                {is_only ? "called_path" : numbered_calls[i]},
                noted(event.witnessed->called[i], left_by(path, AuditRule::strict), AuditRule::strict));
    }
}

void AuditFormatter::note_addresses(const Event& event) {
    if (!has_addresses(event))
        return;
    const Ends ends = ends_of(event, socket_role(event));
    if (ends.from_sockaddr || !event.sockaddr.known())
        notes_.add({"addr"}, event.sockaddr);
    else if (event.socket_shared)
        notes_.add_mark({"addr"}, Mark::shared);
    if (event.sockaddr.known() && !event.sockaddr.bytes.empty() && !is_audit_address(ends.named))
        notes_.add_missing({"addr"});
    if (has_several_addresses(event))
        notes_.add({"addrs"}, event.witnessed->address[1]);
}

} // namespace telemetry

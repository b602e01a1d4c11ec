// SPDX-License-Identifier: MIT
#include "telemetry/output/brief/formatter.hpp"

#include <array>
#include <ctime>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/brief/words.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/remarks.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry {
namespace {

constexpr uint64_t ns_per_second = 1'000'000'000, ns_per_ms = 1'000'000;
constexpr size_t user_column = 13, process_column = 22, what_column = 48, narrowest = 20, narrow = 72;

bool is_contained(const Event& event) {
    return event.lineage && !event.lineage->facts.container.id.empty();
}

std::string_view name_of(const Event& event) {
    const bool is_known = event.image.exe.known() && !base_name(event.image.exe.bytes).empty();
    return is_known ? base_name(event.image.exe.bytes) : event.comm;
}

} // namespace

BriefFormatter::BriefFormatter(const FormatContext& context)
    : names_(context.accounts), columns_(context.columns), is_coloured_(context.colour) {}

void BriefFormatter::begin(uint64_t time_ns) {
    const uint64_t second = time_ns / ns_per_second;
    if (second != second_) { // a terminal may get another size meanwhile
        second_ = second;
        width_ = columns_ ? columns_() : 0;
        if (width_ && width_ < narrowest)
            width_ = narrowest;
        const auto time = static_cast<time_t>(second);
        tm local{};
        localtime_r(&time, &local);
        std::array<char, 16> text{};
        clock_.assign(text.data(), strftime(text.data(), text.size(), "%H:%M:%S", &local));
    }
    line_.clear(width_, is_coloured_);
    scratch_.clear();
    scratch_.put(std::string_view(clock_));
    scratch_.put('.');
    const auto ms = static_cast<unsigned>(time_ns % ns_per_second / ns_per_ms);
    for (const unsigned digit : {ms / 100, ms / 10 % 10, ms % 10})
        scratch_.put(static_cast<char>('0' + digit));
    line_.put(scratch_.view(), colour::dim);
}

void BriefFormatter::format(const Event& event, std::string& out) {
    names_.refresh();
    begin(event.time_ns);
    const BriefWords words = brief_words(event);
    const Outcome outcome = outcome_of(event);
    put_result(event, outcome);
    if (event.fold) {
        result_.put(" x");
        result_.put_decimal(event.fold->count);
    }
    const std::string_view result = result_.view();
    line_.reserve(ScreenLine::width(result));
    line_.pad_to(user_column);
    put_user(event);
    if (!width_ || width_ >= narrow)
        line_.pad_to(process_column);
    put_process(event);
    if (!width_ || width_ >= narrow)
        line_.pad_to(what_column);
    line_.put(words.verb, words.changes_privileges ? colour::privilege : colour::bold);
    if (line_.room() > 4) {
        line_.put(" ");
        put_object(event, line_.room());
    }
    line_.release();
    const bool is_failure = outcome == Outcome::failure || event.skipped();
    line_.put(result, is_failure ? colour::failure : colour::none);
    out.append(line_.end());
}

void BriefFormatter::format(const LossEvent& loss, std::string& out) {
    begin(loss.time_ns);
    scratch_.clear();
    scratch_.put(" lost ");
    scratch_.put_decimal(loss.count);
    scratch_.put(" events: ");
    scratch_.put(loss.cause);
    line_.put(scratch_.view(), colour::failure);
    out.append(line_.end());
}

std::string_view BriefFormatter::account(const Event& event, uint32_t uid) {
    const std::string_view name = is_contained(event) ? std::string_view() : names_.user(uid);
    if (!name.empty())
        return name;
    scratch_.clear();
    scratch_.put_decimal(uid);
    return scratch_.view();
}

/// With whom it acts for, where that is another.
void BriefFormatter::put_user(const Event& event) {
    if (event.missing & EBT_MISSING_CREDENTIALS)
        return line_.put("? ");
    if (event.uid == event.euid) {
        line_.put_text(account(event, event.uid), process_column - user_column - 1);
        return line_.put(" ");
    }
    line_.put_text(account(event, event.uid), 12, colour::privilege);
    line_.put(">", colour::privilege);
    line_.put_text(account(event, event.euid), 12, colour::privilege);
    line_.put(" ");
}

void BriefFormatter::put_process(const Event& event) {
    const LineageNode* parent = event.lineage ? event.lineage->parent.get() : nullptr;
    const bool is_narrow = width_ && width_ < narrow;
    if (parent && !is_narrow && !parent->name().empty()) {
        line_.put_text(parent->name(), 10, colour::dim);
        line_.put(" > ", colour::dim);
    }
    line_.put_text(name_of(event), 16, is_contained(event) ? colour::container : colour::none);
    line_.put("[");
    line_.put_number(event.pid);
    line_.put("] ");
    if (!is_contained(event))
        return;
    line_.put_text(std::string_view(event.lineage->facts.container.id).substr(0, 12), 12, colour::container);
    line_.put(" ");
}

void BriefFormatter::put_object(const Event& event, size_t room) {
    const bool is_exec = has_new_image(event);
    if (is_exec && event.image.argv.known() && !event.image.argv.bytes.empty())
        return put_words(event.image.argv.bytes, room);
    if (is_exec_call(event) && event.exec_argv.known() && !event.paths)
        return put_words(event.exec_argv.bytes, room);
    if (event.child_status == Status::ok)
        return line_.put_number(event.child_pid);
    if (event.kind == EBT_EXIT) {
        const WaitStatus status(event.ret);
        scratch_.clear();
        scratch_.put(status.signal ? "signal " : "status ");
        scratch_.put_signed(status.signal ? status.signal : status.exit_code);
        return line_.put(scratch_.view(), event.ret == 0 ? colour::none : colour::failure);
    }
    if (event.paths) {
        const size_t before = line_.used();
        put_mode(event);
        return put_files(event, room - std::min(room, line_.used() - before));
    }
    if (event.sockaddr.status != Status::absent || event.socket_status != Status::absent)
        return put_socket(event, room);
    put_arguments(event, room);
}

/// As chmod(1) takes it.
void BriefFormatter::put_mode(const Event& event) {
    const std::optional<uint32_t> mode = given_mode(event);
    if (!mode)
        return;
    scratch_.clear();
    scratch_.put_octal(*mode & 07777);
    scratch_.put(' ');
    line_.put(scratch_.view());
}

void BriefFormatter::put_files(const Event& event, size_t room) {
    const Files files = files_of(event);
    const PathField* path = files.file;
    if (files.original && files.original->known()) {
        line_.put_text(files.original->bytes, room / 2);
        line_.put(" > ");
        room -= std::min(room, room / 2 + 3);
    }
    if (path && path->known())
        line_.put_text(path->bytes, room);
    else
        line_.put("?");
}

/// Words with blanks between, as they are typed.
void BriefFormatter::put_words(std::string_view list, size_t room) {
    const size_t end = line_.used() + room;
    bool is_first = true;
    while (!list.empty() && line_.used() + 3 < end) {
        if (!is_first)
            line_.put(" ");
        is_first = false;
        line_.put_text(next_string(list), end - line_.used());
    }
    if (!list.empty() && line_.used() + 2 <= end)
        line_.put_ellipsis();
}

void BriefFormatter::put_socket(const Event& event, size_t room) {
    const SocketRole role = socket_role(event);
    const Ends ends = ends_of(event, role);
    const Address& shown = ends.named.form != Address::Form::none ? ends.named : ends.local;
    if (shown.form == Address::Form::none)
        return line_.put("?");
    if (shown.form == Address::Form::unix_path || shown.form == Address::Form::unix_abstract) {
        line_.put(shown.form == Address::Form::unix_path ? "unix:" : "unix:@");
        return line_.put_text(shown.name, room > 6 ? room - 6 : 0);
    }
    scratch_.clear();
    put_address(scratch_, shown);
    line_.put(scratch_.view().substr(0, room));
}

/// The strings of a call, and those of its arguments that are numbers.
void BriefFormatter::put_arguments(const Event& event, size_t room) {
    using ebpf_loader::ArgKind;
    if (!event.call)
        return;
    const size_t end = line_.used() + room;
    const auto has_room = [&] { return line_.used() + 12 < end; };
    for (size_t i = 0; i < event.strings && has_room(); ++i) {
        if (event.string[i].known())
            line_.put_text(event.string[i].bytes, end - line_.used() - 1);
        line_.put(" ");
    }
    if (event.missing & EBT_MISSING_ARGS)
        return;
    for (size_t i = 0; i < event.call->arguments && has_room(); ++i) {
        const ArgKind kind = event.call->argument[i].kind;
        if (kind != ArgKind::pid && kind != ArgKind::signal && kind != ArgKind::uid && kind != ArgKind::gid)
            continue;
        line_.put_number(static_cast<int32_t>(event.args[i]));
        line_.put(" ");
    }
}

/// Nothing of what succeeded.
void BriefFormatter::put_result(const Event& event, Outcome outcome) {
    result_.clear();
    if (event.skipped()) {
        result_.put(" never ran: ");
        result_.put(supervisor_name(event));
    } else if (outcome == Outcome::failure && event.kind != EBT_EXIT) {
        const std::string_view error = error_name(event.ret);
        result_.put(" = ");
        if (error.empty())
            result_.put_signed(event.ret);
        else
            result_.put(error);
    } else if (outcome == Outcome::unknown && event.returns && event.ret < 0) {
        result_.put(" = ");
        result_.put(error_name(event.ret));
    }
}

const Format brief_format = {
    .name = "brief",
    .shows_lineage = true,
    .make = [](const FormatContext& context) -> std::unique_ptr<Formatter> {
        return std::make_unique<BriefFormatter>(context);
    },
};

} // namespace telemetry

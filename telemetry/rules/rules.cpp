// SPDX-License-Identifier: MIT
#include "telemetry/rules/rules.hpp"

#include <algorithm>
#include <array>

#include "telemetry/rules/auditctl/file.hpp"
#include "telemetry/rules/builder.hpp"
#include "telemetry/rules/explain/explanation.hpp"
#include "telemetry/rules/kernel/screens.hpp"
#include "telemetry/rules/parser.hpp"

// The text of rules/syscalls.rules, which CMakeLists.txt embeds.
extern "C" const char ebt_built_in_rules_start[];
extern "C" const char ebt_built_in_rules_end[];

namespace telemetry {
namespace {

using namespace rules;

struct ParsedLines {
    EnvironmentNames environment;
    bool folds_searches = false;
    bool is_auditctl = false;
};

/// Parses all lines and throws all their mistakes as one error.
ParsedLines parse_lines(const SourceText& source, Builder& builder) {
    Parser parser(source);
    MistakeList mistakes;
    const auto guarded = [&](const auto& parse) {
        try {
            parse();
        } catch (const Mistake& mistake) {
            mistakes.add(source, mistake);
        }
    };
    bool is_auditctl = false;
    guarded([&] { is_auditctl = auditctl::is_auditctl(source); });
    if (is_auditctl)
        auditctl::FileReader(source, builder).read(mistakes);
    else if (mistakes.empty())
        for (const Span span : source.statements())
            guarded([&] {
                if (const auto statement = parser.parse(span)) {
                    builder.count_line();
                    builder.add(*statement);
                }
            });
    if (!mistakes.empty())
        throw RuleError(mistakes.text());
    return {EnvironmentNames(parser.environment()), parser.folds_searches(), is_auditctl};
}

/// Adds the kernel's part to the selection; returns the row that the events will have.
uint16_t select(ebpf_loader::Selection& selection, Screens& screens, const Subject& subject,
                KernelFilter& filter, uint8_t abis) {
    if (subject.row) {
        const uint16_t screen = is_screened(*subject.row) ? screens.set(filter) : uint16_t{0};
        selection.select(*subject.row, filter.predicates, filter.include_all, screen);
        selection.limit(*subject.row, abis);
        return ebpf_loader::row_of(*subject.row);
    }
    if (subject.process != EBT_ROW_NONE) {
        selection.select_process(subject.process, filter.predicates, filter.include_all);
        return subject.process;
    }
    return selection.select_number(subject.abi, subject.number, filter.predicates, filter.include_all);
}

} // namespace

struct Rules::Impl {
    static constexpr uint16_t UNSELECTED = UINT16_MAX;

    Impl() { filter_of_row.fill(UNSELECTED); }

    std::vector<CallFilter> filters;
    std::array<uint16_t, EBT_ROWS> filter_of_row;
    std::array<bool, EBT_ROWS> exact{};
    ebpf_loader::Selection selection;
    EnvironmentNames environment;
    std::vector<std::string> warnings;
    std::vector<std::string> notes;
    size_t lines = 0;
    bool folds_searches = false;
    bool needs_lineage = false;
    bool is_auditctl = false;
};

Rules::Rules() : impl_(std::make_unique<Impl>()) {}
Rules::~Rules() = default;
Rules::Rules(Rules&&) noexcept = default;
Rules& Rules::operator=(Rules&&) noexcept = default;

Rules Rules::parse(std::string_view text, const std::string& file, const Rules* before, bool keeps_lines) {
    return parse({{file, std::string(text)}}, before, keeps_lines);
}

Rules Rules::parse(const std::vector<RulesFile>& files, const Rules* before, bool keeps_lines) {
    const SourceText source(files);
    Builder builder(source, keeps_lines);
    ParsedLines parsed = parse_lines(source, builder);
    builder.finish();

    Rules result;
    Impl& impl = *result.impl_;
    if (before)
        impl.selection.keep_rows_of(before->impl_->selection);
    if (!parsed.environment.empty())
        impl.selection.select_environment();
    impl.environment = std::move(parsed.environment);
    impl.folds_searches = parsed.folds_searches;
    impl.is_auditctl = parsed.is_auditctl;
    impl.lines = builder.lines();
    impl.needs_lineage = builder.needs_lineage();
    impl.warnings = builder.warnings();
    impl.notes = builder.notes();
    Screens screens;
    KnownNeedles needles;
    for (Builder::Entry& entry : builder.take_entries()) {
        if (!entry.filter.selected())
            continue;
        KernelFilter kernel = entry.filter.kernel(needles);
        const uint16_t row = select(impl.selection, screens, entry.subject, kernel, entry.filter.abis());
        impl.filter_of_row[row] = static_cast<uint16_t>(impl.filters.size());
        impl.exact[row] = kernel.exact;
        impl.filters.push_back(std::move(entry.filter));
    }
    impl.selection.screen_paths(screens.paths());
    return result;
}

std::string Rules::explain(const std::vector<RulesFile>& files) {
    const SourceText source(files);
    Explanation explanation(source);
    Builder builder(source);
    builder.observe([&](const Statement& statement) { explanation.add(statement); });
    parse_lines(source, builder);
    builder.finish();
    return explanation.text(builder.entries());
}

Rules Rules::load(const std::string& path, const Rules* before, bool keeps_lines) {
    return parse(read_rules_files(path), before, keeps_lines);
}

std::string_view Rules::built_in() {
    return {ebt_built_in_rules_start, ebt_built_in_rules_end};
}

void Rules::follow_processes() {
    ebpf_loader::Selection& selection = impl_->selection;
    const auto is_end = [](const auto& entry) {
        const auto& [row, plan] = entry;
        return row == EBT_ROW_EXIT || ((plan.flags & EBT_PLAN_NO_RETURN) && !(plan.flags & EBT_PLAN_ENTER));
    };
    if (std::none_of(selection.plans().begin(), selection.plans().end(), is_end))
        return;
    const auto is_whole = [&](uint16_t row) {
        const auto plan = selection.plans().find(row);
        return plan != selection.plans().end() && (plan->second.flags & EBT_INCLUDE_ALL) &&
               plan->second.predicates == 0;
    };
    const auto add = [&](ebt_process_row row) {
        selection.select_process(row, {}, true);
        impl_->exact[row] = false;
    };
    const auto is_no_exec_or_whole = [&](const ebpf_loader::SyscallRow& call) {
        return !(call.flags & EBT_PLAN_EXEC) || is_whole(ebpf_loader::row_of(call));
    };
    if (!is_whole(EBT_ROW_FORK))
        add(EBT_ROW_FORK);
    if (!is_whole(EBT_ROW_EXEC) && !std::ranges::all_of(ebpf_loader::syscall_rows(), is_no_exec_or_whole))
        add(EBT_ROW_EXEC);
}

void Rules::follow_all_processes() {
    for (const ebt_process_row row : {EBT_ROW_FORK, EBT_ROW_EXEC, EBT_ROW_EXIT}) {
        impl_->selection.select_process(row, {}, true);
        impl_->exact[row] = false;
    }
    for (const ebpf_loader::SyscallRow& call : ebpf_loader::syscall_rows()) {
        if (call.name != "setsid" && call.name != "setpgid")
            continue;
        impl_->selection.select(call, {}, true);
        impl_->exact[ebpf_loader::row_of(call)] = false;
    }
}

ebpf_loader::Selection Rules::compile() const {
    return impl_->selection;
}

bool Rules::matches(const Event& event) const {
    const uint16_t filter = event.row < EBT_ROWS ? impl_->filter_of_row[event.row] : Impl::UNSELECTED;
    return filter != Impl::UNSELECTED && impl_->filters[filter].matches(event);
}

std::string_view Rules::key(const Event& event) const {
    const uint16_t filter = event.row < EBT_ROWS ? impl_->filter_of_row[event.row] : Impl::UNSELECTED;
    return filter != Impl::UNSELECTED ? impl_->filters[filter].key(event) : std::string_view();
}

ChosenRule Rules::chosen(const Event& event) const {
    const uint16_t filter = event.row < EBT_ROWS ? impl_->filter_of_row[event.row] : Impl::UNSELECTED;
    return filter != Impl::UNSELECTED ? impl_->filters[filter].chosen(event) : ChosenRule();
}

bool Rules::kernel_decides(uint16_t row) const {
    return row < EBT_ROWS && impl_->exact[row];
}

const EnvironmentNames& Rules::environment() const {
    return impl_->environment;
}

bool Rules::folds_searches() const {
    return impl_->folds_searches;
}

bool Rules::needs_lineage() const {
    return impl_->needs_lineage;
}

bool Rules::is_auditctl() const {
    return impl_->is_auditctl;
}

size_t Rules::size() const {
    return impl_->lines;
}

const std::vector<std::string>& Rules::warnings() const {
    return impl_->warnings;
}

const std::vector<std::string>& Rules::notes() const {
    return impl_->notes;
}

} // namespace telemetry

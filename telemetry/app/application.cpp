// SPDX-License-Identifier: MIT
#include "telemetry/app/application.hpp"

#include <algorithm>
#include <iterator>
#include <linux/capability.h>

#include <ebpf_loader/error.hpp>

#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/trusted_file.hpp"
#include "telemetry/cli/command_line.hpp"

namespace telemetry {

namespace {

constexpr const char* proc_root = "/proc";
constexpr size_t lines_bytes = 64 * 1024;
/// Fewer records than this at a time: there is time to push them out at once.
constexpr size_t few_records = 1024;

/// A process takes about 1 KiB besides its arguments.
Lineage::Limits lineage_limits(size_t max_memory) {
    Lineage::Limits limits;
    if (max_memory) {
        limits.processes = std::min(limits.processes, max_memory / (16 * 1024));
        limits.ended = std::min(limits.ended, limits.processes / 2);
        limits.program_bytes = std::min(limits.program_bytes, max_memory / 32);
    }
    return limits;
}

ExecutableHashes::Limits hash_limits(unsigned max_cpu) {
    ExecutableHashes::Limits limits;
    if (max_cpu)
        limits.cpu.percent = std::clamp<uint64_t>(max_cpu / 4, 1, limits.cpu.percent);
    return limits;
}

} // namespace

std::string explain_rules(const Options& options) {
    if (!options.rules)
        return Rules::explain(Rules::built_in(), "built-in rules");
    require_trusted(*options.rules, "rules");
    return Rules::explain(Rules::read(*options.rules), *options.rules);
}

Rules load_rules(const Options& options) {
    if (options.rules)
        require_trusted(*options.rules, "rules");
    Rules rules =
        options.rules ? Rules::load(*options.rules) : Rules::parse(Rules::built_in(), "built-in rules");
    log(LogLevel::info, std::to_string(rules.size()) + " rules from " +
                            (options.rules ? *options.rules : "the program itself"));
    for (const std::string& warning : rules.warnings())
        log(LogLevel::warning, warning);
    for (const std::string& note : rules.notes())
        log(LogLevel::info, note);
    rules.follow_processes();
    return rules;
}

ebpf_loader::Selection select_events(Rules& rules, const Options& options, const Extension* extension) {
    if (!extension && rules.compile().empty())
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 "the rules select no event: add a line that selects one (rules/README.md)");
    if (extension || options.follows_lineage() || rules.needs_lineage())
        rules.follow_all_processes();
    auto selection = rules.compile();
    if (extension)
        extension->select(selection);
    if (options.hash)
        selection.select_exe_versions();
    return selection;
}

Application::Application(const Options& options, std::unique_ptr<Extension> extension)
    : extension_(std::move(extension)), rules_(load_rules(options)),
      outputs_(options.outputs, {host_name(), "version:" + command_line::version()}),
      deliveries_(options.configured),
      engine_(select_events(rules_, options, extension_.get()), engine_options(options)),
      format_(*options.format), formatter_(format_.make(format_context(engine_, options))),
      run_(options, engine_, *this, proc_root, rules_.environment()),
      has_plain_outputs_(!outputs_.empty() || deliveries_.empty()) {
    if (options.follows_lineage() || rules_.needs_lineage())
        lineage_.emplace(proc_root, lineage_limits(options.max_memory));
    if (options.hash)
        hashes_.emplace(proc_root, hash_limits(options.max_cpu));
    lines_.reserve(2 * lines_bytes);
    deliveries_.begin(format_context(engine_, options));
    if (extension_) {
        std::vector<const Format*> formats = deliveries_.formats();
        formats.push_back(&format_);
        extension_->begin(engine_, format_context(engine_, options), formats);
    }
    log(LogLevel::info, summary_of(engine_));
}

void Application::started() {
    if (lineage_)
        lineage_->remember_running();
    if (extension_)
        extension_->started();
}

void Application::take(Event& event, Ledger& ledger) {
    if (lineage_)
        event.lineage = lineage_->note(event);
    if (hashes_) // of an event that no rule selects, too: the process's next one may have it then
        event.exe_sha256 = hashes_->find(event);
    const bool is_taken = extension_ && extension_->take(event);
    if (event.kind == EBT_TRANSFER) {
        if (is_taken)
            ledger.emitted(event);
        else
            ledger.filtered();
        return;
    }
    if (!rules_.kernel_decides(event.row) && !rules_.matches(event))
        return ledger.filtered();
    event.key = rules_.key(event);
    event.dropped_before = ledger.emitted(event);
    report(event);
}

void Application::report(const Event& event) {
    const size_t before = lines_.size();
    if (has_plain_outputs_) {
        formatter_->format(event, lines_);
        ++lines_events_;
    }
    if (!deliveries_.empty())
        deliveries_.put(event, format_, std::string_view(lines_).substr(before));
    if (lines_.size() >= lines_bytes)
        hand_over();
}

void Application::renew_formatter(const FormatContext& context) {
    formatter_ = format_.make(context);
    deliveries_.renew(context);
}

void Application::turn(size_t records) {
    if (extension_) {
        extension_->tick();
        take_lines();
    }
    hand_over();
    if (records < few_records)
        outputs_.flush();
}

void Application::finish_events() {
    if (!extension_)
        return;
    extension_->finish();
    take_lines();
}

NeededRights Application::needed_rights() const {
    const bool reads_environments = !rules_.environment().empty();
    return {reads_environments ? capability(CAP_DAC_READ_SEARCH) : CapabilityMask{0}, outputs_.files()};
}

void Application::take_lines() {
    const size_t others = deliveries_.formats().size();
    for (size_t i = 0; i < others; ++i) {
        std::string lines;
        extension_->take_lines(i, lines);
        deliveries_.put_lines(i, "imds", lines);
    }
    lines_events_ += extension_->take_lines(others, lines_);
}

void Application::put_losses(std::span<const LossEvent> losses) {
    for (const LossEvent& loss : losses)
        deliveries_.put(loss);
}

void Application::hand_over() {
    deliveries_.hand_over();
    if (lines_.empty())
        return;
    outputs_.write(lines_, lines_events_);
    lines_.clear();
    lines_events_ = 0;
}

void Application::finish_outputs() {
    outputs_.finish();
    deliveries_.drain();
}

bool Application::reopen_outputs() {
    const bool any = outputs_.reopen();
    return deliveries_.reopen() || any;
}

bool Application::are_outputs_usable() {
    const bool plain = outputs_.usable() && has_plain_outputs_;
    return deliveries_.usable() || plain;
}

std::vector<OutputReport> Application::reports() const {
    std::vector<OutputReport> reports = outputs_.reports();
    std::ranges::move(deliveries_.reports(), std::back_inserter(reports));
    return reports;
}

} // namespace telemetry

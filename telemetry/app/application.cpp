// SPDX-License-Identifier: MIT
#include "telemetry/app/application.hpp"

#include <algorithm>
#include <iterator>
#include <linux/capability.h>

#include <ebpf_loader/error.hpp>

#include "telemetry/app/engine_setup.hpp"
#include "telemetry/app/first_lines.hpp"
#include "telemetry/base/host_name.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/terminal.hpp"
#include "telemetry/cli/command_line.hpp"
#include "telemetry/reload/reloadable_options.hpp"
#include "telemetry/sink/diagnostics.hpp"
#include "telemetry/sink/write_size.hpp"

namespace telemetry {

namespace {

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
        return Rules::explain({{"built-in rules", std::string(Rules::built_in())}});
    return Rules::explain(read_rules_files(*options.rules));
}

namespace {

/// `before`: those of the run that they replace, if any.
Rules read_rules(const Options& options, const Rules* before) {
    const bool keeps_lines = options.counts_activity();
    Rules rules = options.rules ? Rules::load(*options.rules, before, keeps_lines)
                                : Rules::parse(Rules::built_in(), "built-in rules", before, keeps_lines);
    rules.follow_processes();
    return rules;
}

void log_rules(const Rules& rules, const Options& options) {
    log(LogLevel::info, std::to_string(rules.size()) + " rules from " +
                            (options.rules ? *options.rules : "the program itself"));
    for (const std::string& warning : rules.warnings())
        log(LogLevel::warning, warning);
    if (!options.rules)
        return; // they are for every machine, and each lacks some of their calls
    for (const std::string& note : rules.notes())
        log(LogLevel::info, note);
}

} // namespace

Rules load_rules(const Options& options) {
    Rules rules = read_rules(options, nullptr);
    log_rules(rules, options);
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

namespace {

ebpf_loader::EngineOptions reloadable(ebpf_loader::EngineOptions engine) {
    engine.can_reselect = true;
    return engine;
}

std::unique_ptr<Extension> prepared(std::unique_ptr<Extension> extension) {
    if (extension)
        extension->prepare();
    return extension;
}

} // namespace

Application::Application(const Options& options, std::unique_ptr<Extension> extension,
                         ReadOptions read_options)
    : options_(options), read_options_(std::move(read_options)), has_terminal_(has_controlling_terminal()),
      extension_(prepared(std::move(extension))), rules_(load_rules(options)),
      outputs_(options.outputs, {"version:" + command_line::version()}), deliveries_(options.configured),
      engine_(select_events(rules_.loaded(), options, extension_.get()), reloadable(engine_options(options))),
      format_(*options.format), formatter_(format_.make(format_context(engine_, options))),
      run_(options, engine_, *this, options.host_proc, rules_.current().environment()),
      reload_(
          engine_,
          {.subject = "rules",
           .read = [this] { return read_anew(); },
           .begin = [this] { rules_.begin_change(); },
           .change = [this](NewSetup& next) { rules_.change(std::move(next.rules), engine_.record_clock()); },
           .settle = [this] { rules_.settle(engine_.record_clock()); }}),
      has_plain_outputs_(!outputs_.empty() || deliveries_.empty()), limit_(options.max_line) {
    if (options.follows_lineage() || rules_.current().needs_lineage())
        lineage_.emplace(options.host_proc, lineage_limits(options.max_memory));
    if (options.hash)
        hashes_.emplace(options.host_proc, hash_limits(options.max_cpu));
    if (options.counts_activity())
        activity_.emplace(options, format_context(engine_, options).accounts);
    lines_.reserve(2 * worth_a_write);
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
    Diagnostics::standard_error().put(first_lines(options_, rules_.current().size()));
    if (activity_)
        activity_->begin(host_name());
}

void Application::take(Event& event, uint64_t record_time, Ledger& ledger) {
    if (lineage_)
        event.lineage = lineage_->note(event);
    if (hashes_) // of an event that no rule selects, too: the process's next one may have it then
        event.exe_sha256 = hashes_->find(event);
    const bool is_taken = extension_ && !event.fold && extension_->take(event);
    if (event.kind == EBT_TRANSFER) {
        if (is_taken)
            ledger.emitted(event);
        else
            ledger.filtered();
        return;
    }
    if (!event.fold && !rules_.want(event, record_time)) // what was folded was wanted when it came
        return ledger.filtered();
    if (run_.is_folded(event)) [[unlikely]]
        return;
    rules::ChosenRule rule;
    if (activity_)
        rule = rules_.chosen(event, record_time);
    event.key = activity_ ? rule.key : rules_.key(event, record_time);
    event.dropped_before = ledger.emitted(event);
    report(event, rule);
}

void Application::report(const Event& event, const rules::ChosenRule& rule) {
    const size_t before = lines_.size();
    if (has_plain_outputs_) {
        formatter_->format(event, lines_);
        ++lines_events_;
    }
    uint64_t bytes = 0;
    if (!deliveries_.empty()) // they have limits of their own
        bytes = deliveries_.put(event, format_, std::string_view(lines_).substr(before));
    shorten(before);
    if (activity_)
        activity_->count(event, rule, bytes + lines_.size() - before);
    if (lines_.size() >= worth_a_write)
        hand_over();
}

void Application::renew_formatter(const FormatContext& context) {
    formatter_ = format_.make(context);
    deliveries_.renew(context);
}

void Application::turn(size_t records) {
    if (extension_) {
        extension_->tick();
        run_.set_waits_for_answers(extension_->is_waiting());
        take_lines();
    }
    hand_over();
    if (activity_)
        activity_->turn(*formatter_);
    if (records < few_records)
        outputs_.flush();
}

void Application::finish_events() {
    if (activity_)
        activity_->finish(*formatter_);
    if (!extension_)
        return;
    extension_->finish();
    take_lines();
}

NeededRights Application::needed_rights() const {
    const bool reads_environments = !rules_.current().environment().empty();
    return {reads_environments ? capability(CAP_DAC_READ_SEARCH) : CapabilityMask{0}, outputs_.files()};
}

void Application::take_lines() {
    const size_t others = deliveries_.formats().size();
    for (size_t i = 0; i < others; ++i) {
        std::string lines;
        extension_->take_lines(i, lines);
        deliveries_.put_lines(i, "imds", lines);
    }
    const size_t before = lines_.size();
    lines_events_ += extension_->take_lines(others, lines_);
    shorten(before);
}

/// The lines that begin there.
void Application::shorten(size_t from) {
    if (options_.max_line == 0)
        return;
    while (from < lines_.size()) {
        const size_t size = std::min(lines_.find('\n', from), lines_.size() - 1) + 1 - from;
        const std::string_view fitting = limit_.fit(std::string_view(lines_).substr(from, size));
        if (fitting.size() != size)
            lines_.replace(from, size, fitting);
        from += fitting.size();
    }
}

void Application::put_losses(std::span<const LossEvent> losses) {
    for (const LossEvent& loss : losses) {
        deliveries_.put(loss);
        if (activity_)
            activity_->count_lost(loss.count);
    }
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

/// Where no file is to be opened anew and there was a terminal, that is gone.
bool Application::hang_up() {
    bool any = outputs_.reopen();
    any |= deliveries_.reopen();
    if (!any && has_terminal_)
        return false;
    reload_.ask();
    return true;
}

/// By a thread of its own: the rules in force stay as they are meanwhile.
NewSetup Application::read_anew() const {
    const Options read = read_options_();
    Options next = with_reloadable(options_, read);
    next.rules = read.rules;
    next.configured = read.configured;
    Rules rules = read_rules(next, &rules_.current());
    if (rules.environment() != rules_.current().environment())
        throw ebpf_loader::Error(
            ebpf_loader::ErrorCode::usage,
            "the rules ask for other variables of the environment, which takes a new start");
    if (rules.needs_lineage() && !lineage_)
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 "the rules compare a process's ancestors, which takes a new start");
    auto selection = select_events(rules, next, extension_.get());
    return {std::move(next), std::move(rules), std::move(selection), outputs_anew(read)};
}

/// By the same thread. The lines of an extension, and parents, are made for formats that were there at the
/// start.
NewOutputs Application::outputs_anew(const Options& read) const {
    const auto refuse_outputs = [](const std::string& why) {
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, why + ", which takes a new start");
    };
    if (read.configured.empty() && !deliveries_.empty() && !has_plain_outputs_)
        refuse_outputs("the files of options leave no output");
    for (const OutputSettings& output : read.configured) {
        if (extension_ && !std::ranges::count(deliveries_.formats(), output.format))
            refuse_outputs("output " + output.name + " has a format that no output had, with --imds");
        if (options_.lineage && output.format->shows_lineage && !lineage_)
            refuse_outputs("output " + output.name + " shows parents of processes, which are not followed");
    }
    return deliveries_.prepare(read.configured);
}

std::optional<Options> Application::take_new_options() {
    static constexpr std::string_view in_force[] = {"rules", "output-config"};
    std::optional<NewSetup> next = reload_.step();
    if (!next)
        return std::nullopt;
    log_changed_options(options_, next->options, in_force);
    deliveries_.change(std::move(next->outputs), format_context(engine_, options_));
    log_rules(rules_.current(), next->options);
    log(LogLevel::info, "reloaded");
    options_ = next->options;
    return std::move(next->options);
}

bool Application::are_outputs_usable() {
    const bool plain = outputs_.usable() && has_plain_outputs_;
    return deliveries_.usable() || plain;
}

std::vector<HelperReport> Application::helpers() const {
    return extension_ ? extension_->helpers() : std::vector<HelperReport>();
}

std::vector<OutputReport> Application::reports() const {
    std::vector<OutputReport> reports = outputs_.reports();
    std::ranges::move(deliveries_.reports(), std::back_inserter(reports));
    return reports;
}

} // namespace telemetry

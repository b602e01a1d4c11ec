// SPDX-License-Identifier: MIT
#include "imds/app/application.hpp"

#include <linux/capability.h>

#include "imds/app/stats.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/terminal.hpp"
#include "telemetry/base/trusted_file.hpp"
#include "telemetry/reload/reloadable_options.hpp"
#include "telemetry/sink/diagnostics.hpp"

namespace telemetry::imds {

namespace {

using namespace std::chrono_literals;

/// A stack is symbolized from files and maps of its process, so the records have to be read while the process
/// still runs. Perf buffers are polled this often; a ring buffer wakes its reader at once.
constexpr auto poll_time_for_stacks = 5ms;

ImdsPipeline::Options pipeline_options(const TrackerOptions& options) {
    return {load_endpoints(options),
            options.common.host_proc,
            options.common.max_memory,
            options.unsafe,
            options.user_stack_trace,
            nullptr,
            nullptr};
}

/// Its helper is a copy of this process: so it comes before secrets and threads of outputs.
std::shared_ptr<Symbolizer> start_symbolizer(const TrackerOptions& options) {
    return options.user_stack_trace ? std::make_shared<Symbolizer>(options.common.host_proc) : nullptr;
}

ImdsPipeline::Options with(ImdsPipeline::Options options, std::shared_ptr<Route> route,
                           std::shared_ptr<Symbolizer> symbolizer) {
    options.route = std::move(route);
    options.symbolizer = std::move(symbolizer);
    return options;
}

} // namespace

ebpf_loader::Selection select_events(const TrackerOptions& options) {
    ebpf_loader::Selection selection;
    for (const ebt_process_row row : {EBT_ROW_FORK, EBT_ROW_EXEC, EBT_ROW_EXIT})
        selection.select_process(row, {}, true);
    ImdsPipeline::select(pipeline_options(options), selection);
    return selection;
}

Endpoints load_endpoints(const TrackerOptions& options) {
    Endpoints endpoints = Endpoints::built_in();
    for (const std::string& file : options.endpoints) {
        require_trusted(file, "endpoints");
        endpoints.add(Endpoints::load(file));
    }
    return endpoints;
}

TrackerApplication::TrackerApplication(const TrackerOptions& options, ReadOptions read_options)
    : options_(options), read_options_(std::move(read_options)), has_terminal_(has_controlling_terminal()),
      route_(std::make_shared<HelperRoute>()), symbolizer_(start_symbolizer(options)), reporter_(options),
      engine_(select_events(options), engine_options(options.common)),
      pipeline_(with(pipeline_options(options), route_, symbolizer_), engine_,
                [this](const ImdsEvent& event) { reporter_.put(event); }),
      run_(options.common, engine_, *this, options.common.host_proc),
      reload_(engine_, {.subject = "endpoints",
                        .read = [this] { return read_anew(); },
                        .change =
                            [this](NewTracking& next) {
                                pipeline_.change_endpoints(std::move(next.endpoints), wall_clock_ns());
                            }}) {
    reporter_.begin(format_context(engine_, options.common));
    if (options.user_stack_trace && !engine_.uses_ring_buffer())
        run_.set_poll_time(poll_time_for_stacks);
    log(LogLevel::info, summary_of(engine_) + ", " + std::to_string(pipeline_.endpoints()) + " endpoints");
}

int TrackerApplication::run() {
    const int status = run_.run();
    if (options_.summary)
        print_summary();
    return status;
}

void TrackerApplication::started() {
    pipeline_.started();
    if (options_.summary_every)
        next_summary_ = Clock::now() + *options_.summary_every;
}

void TrackerApplication::take(Event& event, uint64_t, Ledger& ledger) {
    if (pipeline_.take(event))
        ledger.emitted(event);
    else
        ledger.filtered();
}

void TrackerApplication::turn(size_t) {
    pipeline_.tick();
    run_.set_waits_for_answers(pipeline_.is_waiting());
    reporter_.hand_over();
    reporter_.flush();
    if (const auto now = Clock::now(); now >= next_summary_) {
        next_summary_ = now + *options_.summary_every;
        print_summary();
    }
}

/// Without a file to open anew and a reader on a terminal, the terminal is gone.
bool TrackerApplication::hang_up() {
    if (!reporter_.reopen() && has_terminal_)
        return false;
    reload_.ask();
    return true;
}

/// By a thread of its own: the options in force stay as they are meanwhile.
NewTracking TrackerApplication::read_anew() const {
    const TrackerOptions read = read_options_();
    TrackerOptions next = options_;
    next.common = with_reloadable(options_.common, read.common);
    next.endpoints = read.endpoints;
    Endpoints endpoints = load_endpoints(next);
    auto selection = select_events(next);
    return {std::move(next), std::move(endpoints), std::move(selection)};
}

std::optional<Options> TrackerApplication::take_new_options() {
    static constexpr std::string_view in_force[] = {"endpoints"};
    std::optional<NewTracking> next = reload_.step();
    if (!next)
        return std::nullopt;
    log_changed_options(options_.common, next->options.common, in_force);
    log(LogLevel::info, "reloaded, " + std::to_string(pipeline_.endpoints()) + " endpoints");
    options_ = std::move(next->options);
    return options_.common;
}

/// The code of other users' processes, by /proc/PID/map_files.
NeededRights TrackerApplication::needed_rights() const {
    NeededRights needed{0, reporter_.files()};
    if (options_.user_stack_trace)
        needed.capabilities =
            capability(CAP_DAC_READ_SEARCH) |
            capability(kernel_has_capability(CAP_CHECKPOINT_RESTORE) ? CAP_CHECKPOINT_RESTORE
                                                                     : CAP_SYS_ADMIN);
    return needed;
}

std::vector<HelperReport> TrackerApplication::helpers() const {
    return helper_reports(pipeline_.counters(), symbolizer_ != nullptr);
}

void TrackerApplication::put_stats(Formatter& formatter, std::string& out) const {
    formatter.format(TrackerStats(pipeline_.counters()), out);
}

void TrackerApplication::print_summary() {
    if (options_.common.silent)
        return;
    std::string text;
    options_.common.format->make({})->format(reporter_.summary(), text);
    Diagnostics::standard_error().put(text);
}

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#include "telemetry/rights/call_filter.hpp"

#include <cerrno>

namespace telemetry {

CallFilter::CallFilter(uint32_t action) : context_(seccomp_init(action), seccomp_release) {
    if (!context_)
        error_ = -ENOMEM;
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    set(SCMP_FLTATR_CTL_TSYNC, 1);    // all threads
    set(SCMP_FLTATR_CTL_OPTIMIZE, 2); // a tree of numbers
}

void CallFilter::add(int call, uint32_t action) {
    note(seccomp_rule_add(context_.get(), action, call, 0));
}

void CallFilter::add_all(std::span<const int> calls, uint32_t action) {
    for (const int call : calls)
        add(call, action);
}

void CallFilter::add(int call, unsigned argument, uint64_t mask, uint64_t value, uint32_t action) {
    const scmp_arg_cmp has_value = {argument, SCMP_CMP_MASKED_EQ, mask, value};
    note(seccomp_rule_add_array(context_.get(), action, call, 1, &has_value));
}

void CallFilter::add_each(int call, unsigned argument, std::initializer_list<unsigned long> values) {
    for (const unsigned long value : values)
        add(call, argument, UINT32_MAX, value);
}

int CallFilter::load() {
    if (error_ == 0)
        note(seccomp_load(context_.get()));
    return error_;
}

void CallFilter::set(scmp_filter_attr attribute, uint32_t value) {
    if (context_)
        note(seccomp_attr_set(context_.get(), attribute, value));
}

void CallFilter::note(int result) {
    if (error_ == 0 && result < 0)
        error_ = result;
}

} // namespace telemetry

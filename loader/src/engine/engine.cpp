// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/engine.hpp>

#include "loader/src/engine/engine_impl.hpp"
#include "loader/src/engine/needed_capabilities.hpp"

namespace ebpf_loader {

Engine::Engine(const Selection& selection, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(selection, options)) {}
Engine::~Engine() = default;
void Engine::start() {
    impl_->start();
}
void Engine::stop() {
    impl_->stop();
    impl_->stopped_ = true;
}
size_t Engine::poll(const RecordHandler& handler, std::chrono::milliseconds timeout) {
    return impl_->poll(handler, timeout);
}
uint64_t Engine::endpoint_connects() const {
    return impl_->tier_->endpoint_connects();
}
void Engine::pause_transfers(uint64_t connects) {
    impl_->pause_transfers(connects);
}
void Engine::shed(bool on) {
    impl_->shed(on);
}
void Engine::limit_events(uint32_t per_process) {
    impl_->limit_events(per_process);
}
std::string Engine::cannot_reselect(const Selection& next) const {
    return impl_->cannot_reselect(next);
}
void Engine::widen(const Selection& next) {
    impl_->widen(next);
}
void Engine::narrow() {
    impl_->narrow();
}
uint64_t Engine::record_clock() const {
    return impl_->record_clock();
}
std::vector<Tampering> Engine::check_tampering() {
    return impl_->check_tampering();
}
uint64_t Engine::needed_capabilities() const {
    return ebpf_loader::needed_capabilities(*impl_->tier_, *impl_->watch_, impl_->witnesses_.get());
}
EngineStats Engine::stats() const {
    return impl_->stats();
}
std::vector<uint64_t> Engine::sequences() const {
    std::vector<uint64_t> sequences;
    for (const ebt_slot& slot : read_slots(*impl_->tier_))
        sequences.push_back(slot.sequence);
    return sequences;
}
Tier Engine::tier() const {
    return impl_->tier_->tier();
}
bool Engine::uses_ring_buffer() const {
    return impl_->tier_->uses_ring();
}
size_t Engine::buffer_bytes() const {
    return impl_->tier_->uses_ring() ? impl_->buffer_sizes_.rings().bytes : impl_->buffer_sizes_.perf();
}
size_t Engine::buffer_memory() const {
    return impl_->buffer_memory_;
}
int64_t Engine::wall_clock_offset() const {
    return impl_->wall_clock_offset();
}
const std::vector<TierVerdict>& Engine::verdicts() const {
    return impl_->verdicts_;
}
std::span<const WitnessVerdict> Engine::witnesses() const {
    return impl_->witnesses_ ? std::span(impl_->witnesses_->verdicts()) : std::span<const WitnessVerdict>();
}
std::span<const std::string_view> Engine::unseen_calls() const {
    const bool has_any = impl_->kernel_.io_uring && impl_->io_uring_;
    return has_any ? std::span(impl_->io_uring_->calls()) : std::span<const std::string_view>();
}
bool Engine::counts_unseen_operations() const {
    return impl_->io_uring_ && impl_->io_uring_->counts();
}
const Offsets& Engine::offsets() const {
    return impl_->offsets_;
}

} // namespace ebpf_loader

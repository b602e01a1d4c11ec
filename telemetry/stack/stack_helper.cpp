// SPDX-License-Identifier: MIT
#include "telemetry/stack/stack_helper.hpp"

#include <string>
#include <string_view>

#include "telemetry/stack/messages.hpp"

namespace telemetry {
namespace {

using namespace stack_messages;

Frame message_of(const StackFrame& frame, const CodeRange* range, const AskedCode& code) {
    Frame message{.address = frame.address,
                  .module_offset = frame.module_offset.value_or(0),
                  .symbol_offset = frame.symbol_offset,
                  .place = range ? code.number_of(*range) : Frame::no_place,
                  .has_module_offset = frame.module_offset.has_value() ? uint8_t{1} : uint8_t{0},
                  .is_guess = frame.is_guess ? uint8_t{1} : uint8_t{0},
                  .is_too_costly = frame.is_too_costly ? uint8_t{1} : uint8_t{0}};
    put(message.symbol, frame.symbol);
    put(message.build_id, frame.build_id);
    return message;
}

/// The answer to one packet.
std::string answer_to(std::string_view packet, Channel& channel, const StackLimits& limits,
                      KnownCode& known) {
    const auto asked = take<Stack>(packet);
    if (!asked || asked->kind != Kind::stack)
        throw ChannelBroken("no stack");
    const uint64_t refused_before = known.refusals();
    WorkBudget budget(limits.stack);
    budget.charge(asked->done);
    AskedCode code(channel, asked->is_map_whole, budget);
    StackWalk walk(limits, code, known, budget);
    const CallStack stack = walk.run({asked->registers, packet});
    const Answer answer{.frames = static_cast<uint32_t>(stack.frames.size()),
                        .end = static_cast<uint32_t>(stack.end),
                        .done = budget.used(),
                        .refused = known.refusals() - refused_before};
    std::string bytes(bytes_of(answer));
    for (size_t i = 0; i < stack.frames.size(); ++i)
        bytes += bytes_of(message_of(stack.frames[i], walk.ranges()[i], code));
    return bytes;
}

} // namespace

void serve_stacks(Channel& channel, const StackLimits& limits, const KnownCode::Limits& known_limits) {
    KnownCode known(known_limits);
    Packet packet;
    while (channel.receive(packet, Channel::Clock::time_point::max()) == Channel::Outcome::packet)
        if (!channel.send(answer_to(packet.bytes, channel, limits, known)))
            return;
}

} // namespace telemetry

// SPDX-License-Identifier: MIT
#include "telemetry/stack/asked_code.hpp"

#include <utility>

#include "telemetry/stack/messages.hpp"

namespace telemetry {

using namespace stack_messages;

const CodeRange* AskedCode::find(uint64_t address) {
    for (const Place& place : places_)
        if (address >= place.range.begin && address < place.range.end)
            return &place.range;
    return ask(address);
}

const CodeRange* AskedCode::ask(uint64_t address) {
    const Question question{.address = address};
    Packet packet;
    if (!channel_.send(bytes_of(question)) ||
        channel_.receive(packet, Channel::Clock::time_point::max()) != Channel::Outcome::packet)
        throw ChannelBroken("no answer");
    std::string_view bytes = packet.bytes;
    const auto told = stack_messages::take<stack_messages::Place>(bytes);
    if (!told || told->kind != Kind::place)
        throw ChannelBroken("no answer to the question");
    budget_.charge(told->done);
    if (!told->is_code)
        return nullptr;
    Place& place = places_.emplace_back();
    place.range = {.begin = told->begin,
                   .end = told->end,
                   .offset = told->offset,
                   .inode = told->inode,
                   .name = std::string(text_of(told->name))};
    if (told->has_bytes && packet.file)
        place.bytes.source.emplace(std::move(packet.file), budget_);
    else if (told->has_bytes)
        place.bytes.source.emplace(std::string(bytes), budget_);
    if (told->has_identity)
        place.bytes.identity = told->identity;
    return &place.range;
}

uint32_t AskedCode::number_of(const CodeRange& range) const {
    uint32_t number = 0;
    while (number < places_.size() && &places_[number].range != &range)
        ++number;
    return number;
}

AskedCode::Bytes AskedCode::take(const CodeRange& range) {
    const uint32_t number = number_of(range);
    return number < places_.size() ? std::exchange(places_[number].bytes, {}) : Bytes();
}

} // namespace telemetry

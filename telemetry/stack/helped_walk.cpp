// SPDX-License-Identifier: MIT
#include "telemetry/stack/helped_walk.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "telemetry/stack/messages.hpp"

namespace telemetry {
namespace {

using namespace stack_messages;

Work difference(const Work& now, const Work& before) {
    return {now.reads - before.reads, now.bytes - before.bytes, now.entries - before.entries};
}

Work larger(const Work& a, const Work& b) {
    return {std::max(a.reads, b.reads), std::max(a.bytes, b.bytes), std::max(a.entries, b.entries)};
}

constexpr uint64_t most_work = 1u << 30;    ///< in each of its units: far beyond what a stack may cost
constexpr uint64_t most_refused = 1u << 10; ///< a few parts of the file of each frame

bool is_possible(const Work& work) {
    return work.reads <= most_work && work.bytes <= most_work && work.entries <= most_work;
}

bool is_hexadecimal(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == text.npos;
}

/// As the kernel names what is mapped there.
std::string module_of(const CodeRange& range) {
    const bool is_anonymous = !range.inode && !range.name.starts_with("[v");
    return is_anonymous ? "[anon]" : range.name;
}

} // namespace

bool HelpedWalk::fail(std::string_view why) {
    why_not_ = why;
    return false;
}

bool HelpedWalk::run(const UserStack& stack, Channel& channel, Channel::Clock::time_point deadline) {
    told_ = budget_.used();
    const Stack asked{.is_map_whole = map_.is_whole, .registers = stack.registers, .done = told_};
    if (!channel.send(std::string(bytes_of(asked)).append(stack.memory)))
        return fail("it takes no more stacks");
    for (Packet packet;;) {
        switch (channel.receive(packet, deadline)) {
        case Channel::Outcome::late:
            return fail("it did not answer in time");
        case Channel::Outcome::ended:
            return fail("it ended");
        case Channel::Outcome::too_long:
            return fail("its answer is too long");
        case Channel::Outcome::packet:
            break;
        }
        std::string_view bytes = packet.bytes;
        if (bytes.size() != sizeof(Question))
            return accept(bytes);
        if (!answer(bytes, channel))
            return false;
    }
}

bool HelpedWalk::answer(std::string_view bytes, Channel& channel) {
    const auto question = take<Question>(bytes);
    if (!question || question->kind != Kind::question || ++questions_ > most_frames_ + 1)
        return fail("it asks what it should not");
    Place place;
    CodeFiles::File file;
    if (const CodeRange* const range = map_.map.find(question->address)) {
        if (auto opened = files_.open(*range)) {
            file = std::move(*opened);
            place.has_bytes = true;
            if (file.identity)
                map_.identities[range] = *file.identity;
        }
        const auto known = map_.identities.find(range); // the process may have ended since
        place.is_code = true;
        place.begin = range->begin;
        place.end = range->end;
        place.offset = range->offset;
        place.inode = range->inode;
        if (!range->inode)
            put(place.name, range->name);
        if (known != map_.identities.end()) {
            place.has_identity = true;
            place.identity = known->second;
        }
        places_.push_back(range);
    }
    place.done = difference(budget_.used(), std::exchange(told_, budget_.used()));
    if (!channel.send(std::string(bytes_of(place)).append(file.memory), file.file.get()))
        return fail("it takes no answers");
    return true;
}

bool HelpedWalk::accept(std::string_view bytes) {
    const auto told = take<Answer>(bytes);
    if (!told || told->kind != Kind::answer || told->frames == 0 || told->frames > most_frames_ ||
        bytes.size() != told->frames * sizeof(Frame) || told->end == static_cast<uint32_t>(StackEnd::none) ||
        told->end >= static_cast<uint32_t>(StackEnd::helper_failed) || !is_possible(told->done) ||
        told->refused > most_refused)
        return fail("its answer makes no sense");
    CallStack stack;
    stack.end = static_cast<StackEnd>(told->end);
    while (const auto frame = take<Frame>(bytes)) {
        const std::string_view build_id = text_of(frame->build_id);
        if ((frame->place != Frame::no_place && frame->place >= places_.size()) || !is_hexadecimal(build_id))
            return fail("its answer makes no sense");
        StackFrame& to = stack.frames.emplace_back();
        to.address = frame->address;
        if (frame->place != Frame::no_place)
            to.module = module_of(*places_[frame->place]);
        if (frame->has_module_offset != 0)
            to.module_offset = frame->module_offset;
        to.symbol = text_of(frame->symbol);
        to.symbol_offset = frame->symbol_offset;
        to.build_id = build_id;
        to.is_guess = frame->is_guess != 0;
        to.is_too_costly = frame->is_too_costly != 0;
    }
    stack_ = std::move(stack);
    done_ = larger(told->done, budget_.used());
    refused_files_ = told->refused;
    return true;
}

} // namespace telemetry

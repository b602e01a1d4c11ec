// SPDX-License-Identifier: MIT
#include "telemetry/output/constant_names.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace telemetry {
namespace {

/// Sets of flags in which some bits are a choice among constants.
constexpr std::pair<std::string_view, uint64_t> choices[] = {
    {"open", 03},                              // O_RDONLY, O_WRONLY or O_RDWR
    {"socket_type", 0xf}, {"mmap_flags", 0xf}, // MAP_SHARED, MAP_PRIVATE, ...
    {"clone", 0xff},                           // the signal that the parent gets
    {"futex", 0x7f},
};

std::string hex(uint64_t value) {
    LineBuffer digits;
    digits.put("0x");
    digits.put_hex(value);
    return std::string(digits.view());
}

/// Collects names between brackets.
class JsonList {
  public:
    void add(std::string_view name) {
        json_.append(json_.size() > 1 ? ",\"" : "\"").append(name).append("\"");
    }
    std::string finish() { return std::move(json_) + "]"; }

  private:
    std::string json_ = "[";
};

} // namespace

ConstantNames::ConstantNames() {
    for (const ebpf_loader::Constant& constant : ebpf_loader::constants()) {
        if (find_set(constant.set) == no_set) {
            sets_.emplace_back().name = constant.set;
            const auto choice =
                std::ranges::find(choices, constant.set, &std::pair<std::string_view, uint64_t>::first);
            if (choice != std::end(choices))
                sets_.back().choice_mask = choice->second;
        }
        sets_[static_cast<size_t>(find_set(constant.set))].constants.push_back(constant);
    }
    // A name that stands for several bits (O_SYNC has O_DSYNC's in it) goes before those of the single bits.
    for (Set& set : sets_)
        std::ranges::stable_sort(set.constants, std::ranges::greater(),
                                 [](const ebpf_loader::Constant& c) { return std::popcount(c.value); });
}

int ConstantNames::find_set(std::string_view name) const {
    const auto found = std::ranges::find(sets_, name, &Set::name);
    return found == sets_.end() ? no_set : static_cast<int>(found - sets_.begin());
}

/// The constant for the bits that are a choice, or for no flags at all.
const ebpf_loader::Constant* ConstantNames::choice_among(const Set& set, uint64_t value) {
    if (!set.choice_mask && value)
        return nullptr;
    const uint64_t choice = value & set.choice_mask;
    const auto found = std::ranges::find(set.constants, choice, &ebpf_loader::Constant::value);
    return found == set.constants.end() ? nullptr : &*found;
}

std::string ConstantNames::flags_json(const Set& set, uint64_t value) {
    JsonList list;
    uint64_t rest = value;
    if (const ebpf_loader::Constant* choice = choice_among(set, value)) {
        list.add(choice->name);
        rest &= ~choice->value;
    }
    for (const ebpf_loader::Constant& constant : set.constants) {
        const bool is_flag = constant.value & ~set.choice_mask;
        if (!is_flag || (rest & constant.value) != constant.value)
            continue;
        list.add(constant.name);
        rest &= ~constant.value;
    }
    if (rest)
        list.add(hex(rest));
    return list.finish();
}

std::string ConstantNames::value_json(const Set& set, uint64_t value) {
    JsonList list;
    const auto is_it = [value](const ebpf_loader::Constant& constant) {
        const bool narrow = value <= UINT32_MAX; // a 32-bit argument: -1 is then 0xffffffff
        return constant.value == value ||
               (narrow && static_cast<int32_t>(value) < 0 &&
                constant.value == static_cast<uint64_t>(static_cast<int32_t>(value)));
    };
    const auto found = std::ranges::find_if(set.constants, is_it);
    list.add(found == set.constants.end() ? hex(value) : found->name);
    return list.finish();
}

void ConstantNames::put(LineBuffer& line, int set, uint64_t value, bool flags) {
    Set& in = sets_[static_cast<size_t>(set)];
    flags |= in.choice_mask != 0;
    const uint64_t mixed = value ^ value >> 5 ^ value >> 10 ^ value >> 20;
    Answer& answer = in.answers[mixed % in.answers.size()];
    if (!answer.used || answer.value != value || answer.flags != flags)
        answer = {true, flags, value, flags ? flags_json(in, value) : value_json(in, value)};
    line.put(answer.json);
}

} // namespace telemetry

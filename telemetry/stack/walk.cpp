// SPDX-License-Identifier: MIT
#include "telemetry/stack/walk.hpp"

#include "telemetry/elf/demangle.hpp"

namespace telemetry {
namespace {

constexpr Work build_id_limit = {.reads = 130, .bytes = 1u << 20, .entries = 4096};

/// From behind the system call in [vdso] of a process of 32 bits, whose image nobody but such a process has:
/// __kernel_vsyscall pushes ecx, edx and ebp, on all kernels.
UnwindRules rules_of_vsyscall() {
    constexpr uint64_t cx = 1, dx = 2, sp = 4, bp = 5, ip = 8;
    UnwindRules rules;
    rules.frame_register = sp;
    rules.frame_offset = 16;
    rules.return_register = ip;
    rules.rules[ip] = {.how = UnwindRules::How::at, .offset = -4};
    rules.rules[cx] = {.how = UnwindRules::How::at, .offset = -8};
    rules.rules[dx] = {.how = UnwindRules::How::at, .offset = -12};
    rules.rules[bp] = {.how = UnwindRules::How::at, .offset = -16};
    return rules;
}

} // namespace

CallStack StackWalk::run(const UserStack& stack) {
    Unwinder unwinder(stack);
    CallStack result;
    while (result.end == StackEnd::none) {
        const CodeRange* range = code_.find(unwinder.code_address());
        if (!range && !result.frames.empty()) { // what was found is no address of code
            result.end = code_.is_whole() ? StackEnd::not_known : StackEnd::too_costly;
            break;
        }
        if (result.frames.size() == limits_.frames) {
            result.end = StackEnd::too_deep;
            break;
        }
        if (budget_.is_spent() && !result.frames.empty()) {
            result.end = StackEnd::too_costly;
            break;
        }
        StackFrame& frame = result.frames.emplace_back();
        frame.address = unwinder.address();
        frame.is_guess = is_guess_;
        if (range && !range->inode)
            frame.module_offset = frame.address - range->begin;
        ranges_.push_back(range);
        found_.push_back(find(range, unwinder));
        result.end = step(unwinder, found_.back(), range);
    }
    find_names();
    put_names(result.frames);
    return result;
}

StackWalk::Found StackWalk::find(const CodeRange* range, const Unwinder& unwinder) {
    Found found;
    found.file = range ? open(*range) : nullptr;
    if (!found.file)
        return found;
    found.offset = unwinder.code_address() - range->begin + range->offset;
    found.behind = unwinder.address() - unwinder.code_address();
    const CodePlace* const known =
        found.file->identity ? known_.find(*found.file->identity, found.offset) : nullptr;
    found.is_new = !known;
    found.place = known ? *known : look(*found.file, found.offset);
    return found;
}

/// Null: nothing is known of it, and nothing can be.
StackWalk::Opened* StackWalk::open(const CodeRange& range) {
    const auto [entry, is_new] = opened_.try_emplace(&range);
    Opened& opened = entry->second;
    if (is_new) {
        AskedCode::Bytes bytes = code_.take(range);
        opened.bytes = std::move(bytes.source);
        opened.identity = bytes.identity;
    }
    return opened.identity || opened.bytes || opened.elf ? &opened : nullptr;
}

bool StackWalk::is_refused(const Opened& file, KnownCode::Part part) const {
    return file.identity && known_.is_refused(*file.identity, part);
}

/// A file that by itself costs too much is not looked at again.
void StackWalk::judge(Opened& file, KnownCode::Part part, const WorkBudget::Operation& operation) {
    if (operation.is_too_much() && file.identity)
        known_.refuse(*file.identity, part);
}

const ElfFile* StackWalk::load(Opened& file) {
    if (!file.bytes)
        return file.elf ? &*file.elf : nullptr;
    ByteSource bytes = std::move(*file.bytes);
    file.bytes.reset();
    file.is_too_costly = is_refused(file, KnownCode::Part::headers);
    if (file.is_too_costly)
        return nullptr;
    const WorkBudget::Operation operation(budget_, limits_.headers);
    file.elf = ElfFile::open(std::move(bytes));
    file.is_too_costly = budget_.is_spent();
    judge(file, KnownCode::Part::headers, operation);
    return file.elf ? &*file.elf : nullptr;
}

CodePlace StackWalk::look(Opened& file, uint64_t offset) {
    CodePlace place;
    const ElfFile* const elf = load(file);
    place.is_too_costly = file.is_too_costly;
    place.address = elf ? elf->address_of(offset) : std::nullopt;
    if (!place.address)
        return place;
    place.is_32_bits = elf->machine() == ElfFile::Machine::i386;
    if (is_refused(file, KnownCode::Part::unwinding)) {
        place.is_too_costly = true;
        return place;
    }
    const WorkBudget::Operation operation(budget_, limits_.unwinding);
    place.rules = find_unwind_rules(*elf, *place.address);
    place.is_too_costly |= budget_.is_spent();
    judge(file, KnownCode::Part::unwinding, operation);
    return place;
}

StackEnd StackWalk::step(Unwinder& unwinder, const Found& found, const CodeRange* range) {
    const bool is_of_i386 = EBT_COMPAT_ABI == EBT_I386 && unwinder.is_32_bits();
    is_guess_ = false;
    if (found.place.rules && found.place.is_32_bits == unwinder.is_32_bits() &&
        unwinder.knows_frame_of(*found.place.rules))
        return unwinder.step(*found.place.rules);
    if (range && range->name == "[vdso]" && is_of_i386 && found_.size() == 1)
        return unwinder.step(rules_of_vsyscall());
    is_guess_ = true;
    return unwinder.step_by_frame_pointer();
}

void StackWalk::find_names() {
    std::map<Opened*, std::vector<Found*>> places;
    for (Found& found : found_)
        if (found.is_new && found.place.address)
            places[found.file].push_back(&found);
    for (const auto& [file, of_file] : places)
        find_names(*file, of_file);
    if (budget_.is_spent()) // what was not found now may be the next time
        return;
    for (const Found& found : found_)
        if (found.is_new && found.file && found.file->identity)
            known_.keep(*found.file->identity, found.offset, found.place);
}

void StackWalk::find_names(Opened& file, const std::vector<Found*>& places) {
    std::vector<uint64_t> addresses;
    for (const Found* found : places)
        addresses.push_back(*found->place.address);
    const bool is_refused_now = is_refused(file, KnownCode::Part::symbols) || budget_.is_spent();
    const WorkBudget::Operation operation(budget_, limits_.symbols);
    const ElfFile::Symbols symbols =
        is_refused_now ? ElfFile::Symbols{.found = {}, .is_whole = false} : file.elf->find_symbols(addresses);
    judge(file, KnownCode::Part::symbols, operation);
    for (size_t i = 0; i < places.size(); ++i) {
        CodePlace& place = places[i]->place;
        if (i < symbols.found.size() && symbols.found[i]) {
            place.symbol = demangled(symbols.found[i]->name, budget_);
            place.symbol_offset = *place.address - symbols.found[i]->address;
        }
        place.is_too_costly |= place.symbol.empty() && !symbols.is_whole;
    }
}

void StackWalk::put_names(std::vector<StackFrame>& frames) {
    for (size_t i = 0; i < frames.size(); ++i) {
        const Found& found = found_[i];
        frames[i].is_too_costly = found.place.is_too_costly;
        if (!found.file || !found.place.address)
            continue;
        frames[i].module_offset = *found.place.address + found.behind;
        frames[i].symbol = found.place.symbol;
        frames[i].symbol_offset = found.place.symbol.empty() ? 0 : found.place.symbol_offset + found.behind;
        frames[i].build_id = build_id_of(*found.file);
    }
}

std::string StackWalk::build_id_of(Opened& file) {
    if (file.identity)
        if (const std::string* const known = known_.find_build_id(*file.identity))
            return *known;
    const ElfFile* const elf = load(file);
    if (!elf || budget_.is_spent())
        return {};
    const WorkBudget::Operation operation(budget_, build_id_limit);
    std::string id = elf->build_id();
    if (file.identity)
        known_.keep_build_id(*file.identity, id);
    return id;
}

} // namespace telemetry

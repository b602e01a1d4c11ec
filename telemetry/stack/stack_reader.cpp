// SPDX-License-Identifier: MIT
#include "telemetry/stack/stack_reader.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "telemetry/stack/demangle.hpp"
#include "telemetry/stack/unwinder.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t most_maps = 256;
constexpr size_t most_map_ranges = 64 * 1024; ///< of all maps together
constexpr size_t most_names = 16384;
constexpr size_t most_build_ids = 4096;
constexpr size_t most_map_bytes = 8u << 20;

/// Room for one more, by forgetting all: what is needed comes again.
template <class Map> void bound(Map& map, size_t most) {
    if (map.size() >= most)
        map.clear();
}

} // namespace

std::string_view stack_end_name(StackEnd end) {
    switch (end) {
    case StackEnd::none:
        break;
    case StackEnd::outermost:
        return "outermost";
    case StackEnd::not_captured:
        return "not_captured";
    case StackEnd::too_deep:
        return "too_deep";
    case StackEnd::not_known:
        return "not_known";
    case StackEnd::gone:
        return "process_gone";
    }
    return {};
}

/// One stack: the files that its functions are in are opened once.
class StackReader::Walk {
  public:
    Walk(StackReader& owner, const CodeMap& map, uint32_t pid)
        : owner_(owner), map_(map), files_(owner.proc_root_, pid) {}

    CallStack run(const UserStack& stack) {
        Unwinder unwinder(stack);
        CallStack result;
        while (result.end == StackEnd::none) {
            const CodeRange* range = map_.find(unwinder.place());
            if (!range && !result.frames.empty()) { // what was found is no address of code
                result.end = StackEnd::not_known;
                break;
            }
            if (result.frames.size() == most_frames) {
                result.end = StackEnd::too_deep;
                break;
            }
            const CodeFiles::File* file = range ? open(*range) : nullptr;
            result.frames.push_back(frame_of(unwinder, range, file));
            result.frames.back().is_guess = is_guess_;
            result.end = step(unwinder, range, file);
        }
        return result;
    }

  private:
    const CodeFiles::File* open(const CodeRange& range) {
        const auto [entry, is_new] = opened_.try_emplace(&range);
        if (is_new)
            entry->second = files_.open(range);
        return entry->second ? &*entry->second : nullptr;
    }
    static std::optional<uint64_t> address_in(const CodeFiles::File* file, const CodeRange& range,
                                              uint64_t place) {
        return file ? file->elf.address_of(place - range.begin + range.offset) : std::nullopt;
    }
    StackEnd step(Unwinder& unwinder, const CodeRange* range, const CodeFiles::File* file) {
        const auto place = range ? address_in(file, *range, unwinder.place()) : std::nullopt;
        const bool is_32_bits = file && file->elf.machine() == ElfFile::Machine::i386;
        is_guess_ = false;
        if (place && is_32_bits == unwinder.is_32_bits())
            if (const auto rules = find_unwind_rules(file->elf, *place))
                return unwinder.step(*rules);
        is_guess_ = true;
        return unwinder.step_by_frame_pointer();
    }
    StackFrame frame_of(const Unwinder& unwinder, const CodeRange* range, const CodeFiles::File* file) {
        StackFrame frame;
        frame.address = unwinder.address();
        if (!range)
            return frame;
        const bool is_anonymous = !range->inode && !range->name.starts_with("[v");
        frame.module = is_anonymous ? "[anon]" : range->name;
        const uint64_t behind = unwinder.address() - unwinder.place();
        if (const auto place = address_in(file, *range, unwinder.place())) {
            frame.module_offset = *place + behind;
            put_name(frame, *file, *place, behind);
        } else if (!range->inode) {
            frame.module_offset = frame.address - range->begin;
        }
        return frame;
    }
    void put_name(StackFrame& frame, const CodeFiles::File& file, uint64_t place, uint64_t behind) {
        const Name name = name_of(file, place);
        frame.symbol = name.symbol;
        frame.symbol_offset = name.symbol.empty() ? 0 : name.offset + behind;
        frame.build_id = build_id_of(file);
    }
    Name name_of(const CodeFiles::File& file, uint64_t place) {
        if (file.identity)
            if (const auto known = owner_.names_.find({*file.identity, place}); known != owner_.names_.end())
                return known->second;
        Name name;
        if (const auto symbol = file.elf.find_symbol(place))
            name = {demangled(symbol->name), place - symbol->address};
        if (file.identity) {
            bound(owner_.names_, most_names);
            owner_.names_[{*file.identity, place}] = name;
        }
        return name;
    }
    std::string build_id_of(const CodeFiles::File& file) {
        if (!file.identity)
            return file.elf.build_id();
        bound(owner_.build_ids_, most_build_ids);
        const auto [entry, is_new] = owner_.build_ids_.try_emplace(*file.identity);
        if (is_new)
            entry->second = file.elf.build_id();
        return entry->second;
    }

    StackReader& owner_;
    const CodeMap& map_;
    CodeFiles files_;
    bool is_guess_ = false;
    std::map<const CodeRange*, std::optional<CodeFiles::File>> opened_;
};

StackReader::StackReader(const std::string& proc_root)
    : proc_root_(proc_root), reader_(proc_root),
      ns_per_tick_(1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK))) {}

CallStack StackReader::read(const Event& event) {
    if (event.user_stack_status != Status::ok)
        return {};
    if (const auto map = map_of(event))
        return Walk(*this, *map, event.pid).run(event.user_stack);
    CallStack stack;
    stack.frames.emplace_back().address = event.user_stack.registers.ip;
    stack.end = StackEnd::gone;
    return stack;
}

/// What the process has mapped now, or had when it was last asked.
std::shared_ptr<const CodeMap> StackReader::map_of(const Event& event) {
    const Process process{event.pid, event.start_time_ns, event.exec_id};
    auto map = std::make_shared<CodeMap>(
        read_whole(proc_root_ + '/' + std::to_string(event.pid) + "/maps", most_map_bytes));
    if (map->empty() || !is_still(event)) {
        const auto before = maps_.find(process);
        return before == maps_.end() ? nullptr : before->second;
    }
    if (map->size() <= most_map_ranges / most_maps) {
        bound(maps_, most_maps);
        maps_[process] = map;
    }
    return map;
}

/// The id is still that process's, which still executes what it did.
bool StackReader::is_still(const Event& event) const {
    const auto parentage = reader_.parentage(event.pid);
    if (!parentage || (event.missing & EBT_MISSING_START_TIME) ||
        parentage->start_ticks != event.start_time_ns / ns_per_tick_)
        return false;
    struct stat status {};
    const std::string exe = proc_root_ + '/' + std::to_string(event.pid) + "/exe";
    return !event.image.exe.has_inode ||
           (stat(exe.c_str(), &status) == 0 && status.st_ino == event.image.exe.inode.ino);
}

} // namespace telemetry::imds

// SPDX-License-Identifier: MIT
#include "telemetry/stack/symbolizer.hpp"

#include <sys/stat.h>

#include "telemetry/stack/demangle.hpp"
#include "telemetry/stack/unwinder.hpp"

namespace telemetry {
namespace {

constexpr size_t most_maps = 256;
constexpr size_t most_map_ranges = 64 * 1024; ///< of all maps together
constexpr size_t most_names = 16384;
constexpr size_t most_build_ids = 4096;
constexpr size_t most_map_bytes = 8u << 20;

/// Makes room for one more by dropping all: what is needed is read again.
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

/// The walk over one stack: each file that its functions are in is opened once.
class Symbolizer::Walk {
  public:
    Walk(Symbolizer& owner, const CodeMap& map, uint32_t pid)
        : owner_(owner), map_(map), files_(owner.procfs_, pid) {}

    CallStack run(const UserStack& stack) {
        Unwinder unwinder(stack);
        CallStack result;
        while (result.end == StackEnd::none) {
            const CodeRange* range = map_.find(unwinder.code_address());
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
                                              uint64_t file_address) {
        return file ? file->elf.address_of(file_address - range.begin + range.offset) : std::nullopt;
    }
    StackEnd step(Unwinder& unwinder, const CodeRange* range, const CodeFiles::File* file) {
        const auto file_address = range ? address_in(file, *range, unwinder.code_address()) : std::nullopt;
        const bool is_32_bits = file && file->elf.machine() == ElfFile::Machine::i386;
        is_guess_ = false;
        if (file_address && is_32_bits == unwinder.is_32_bits())
            if (const auto rules = find_unwind_rules(file->elf, *file_address))
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
        const uint64_t behind = unwinder.address() - unwinder.code_address();
        if (const auto file_address = address_in(file, *range, unwinder.code_address())) {
            frame.module_offset = *file_address + behind;
            put_name(frame, *file, *file_address, behind);
        } else if (!range->inode) {
            frame.module_offset = frame.address - range->begin;
        }
        return frame;
    }
    void put_name(StackFrame& frame, const CodeFiles::File& file, uint64_t file_address, uint64_t behind) {
        const Name name = name_of(file, file_address);
        frame.symbol = name.symbol;
        frame.symbol_offset = name.symbol.empty() ? 0 : name.offset + behind;
        frame.build_id = build_id_of(file);
    }
    Name name_of(const CodeFiles::File& file, uint64_t file_address) {
        if (file.identity)
            if (const auto known = owner_.names_.find({*file.identity, file_address});
                known != owner_.names_.end())
                return known->second;
        Name name;
        if (const auto symbol = file.elf.find_symbol(file_address))
            name = {demangled(symbol->name), file_address - symbol->address};
        if (file.identity) {
            bound(owner_.names_, most_names);
            owner_.names_[{*file.identity, file_address}] = name;
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

    Symbolizer& owner_;
    const CodeMap& map_;
    CodeFiles files_;
    bool is_guess_ = false;
    std::map<const CodeRange*, std::optional<CodeFiles::File>> opened_;
};

Symbolizer::Symbolizer(const std::string& proc_root) : procfs_(proc_root) {}

CallStack Symbolizer::symbolize(const Event& event) {
    if (event.user_stack_status != Status::ok)
        return {};
    if (const auto map = map_of(event))
        return Walk(*this, *map, event.pid).run(event.user_stack);
    CallStack stack;
    stack.frames.emplace_back().address = event.user_stack.registers.ip;
    stack.end = StackEnd::gone;
    return stack;
}

/// What the process has mapped now, or had mapped when it was last read.
std::shared_ptr<const CodeMap> Symbolizer::map_of(const Event& event) {
    const Process process{event.pid, event.start_time_ns, event.exec_id};
    auto map = std::make_shared<CodeMap>(
        procfs_.file(std::to_string(event.pid), "maps", most_map_bytes).value_or(std::string()));
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

/// True while the id belongs to the same process, and that executes the same file.
bool Symbolizer::is_still(const Event& event) const {
    const auto now = procfs_.stat(event.pid);
    if (!now || (event.missing & EBT_MISSING_START_TIME) ||
        now->start_ticks != procfs_.ticks(event.start_time_ns))
        return false;
    struct stat status {};
    const std::string exe = procfs_.root() + '/' + std::to_string(event.pid) + "/exe";
    return !event.image.exe.has_inode ||
           (stat(exe.c_str(), &status) == 0 && status.st_ino == event.image.exe.inode.ino);
}

} // namespace telemetry

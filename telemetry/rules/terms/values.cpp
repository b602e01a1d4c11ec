// SPDX-License-Identifier: MIT
#include "telemetry/rules/terms/values.hpp"

#include <algorithm>
#include <sys/stat.h>

#include "telemetry/event/facts.hpp"
#include "telemetry/process/lineage.hpp"
#include "telemetry/rules/match.hpp"

namespace telemetry::rules::terms {
namespace {

Values number(uint32_t value, bool known) {
    Values values;
    if (known)
        values.add(value);
    values.hides = !known;
    return values;
}

Values credential(const Event& event, uint32_t id) {
    return number(id, !(event.missing & EBT_MISSING_CREDENTIALS));
}

/// Of a call that succeeded there was a file, even where it was not seen.
template <class Read> Values of_files(const Event& event, Read read) {
    Values values;
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i) {
        if (event.path[i].has_inode)
            values.add(read(event.path[i].inode));
        else
            values.hides = values.hides || event.success();
    }
    values.hides = values.hides || event.lost_fields;
    return values;
}

/// The kernel need not tell the device of a file that was seen.
Values of_devices(const Event& event, uint32_t (*number)(uint32_t device)) {
    Values values = of_files(event, [&](const InodeInfo& inode) { return number(inode.device); });
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i)
        if (event.path[i].has_inode && !event.path[i].inode.device) {
            values.count = 0;
            values.hides = true;
        }
    return values;
}

/// The arguments of the process, or of the exec that failed.
const StringList& arguments(const Event& event) {
    return is_exec_call(event) && !has_new_image(event) ? event.exec_argv : event.image.argv;
}

bool is_cut(const Text& text) {
    return text.status != Status::ok || text.length_is_minimum;
}

/// Arguments are compared where they are: a NUL between two is a blank.
bool is_same(char given, char wanted) {
    return given == wanted || (given == '\0' && wanted == ' ');
}

bool begins_with(std::string_view text, std::string_view wanted) {
    return text.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), text.begin(),
                                                      [](char a, char b) { return is_same(b, a); });
}

/// The length of the text is the process's choice: see rules::contains() for what that can cost. A text with
/// blanks in it is searched in a copy that has blanks for NULs.
bool contains_joined(std::string_view text, std::string_view wanted) {
    if (wanted.find(' ') == wanted.npos) // no two arguments have a part in it
        return contains(text, wanted);
    if (wanted.size() > text.size())
        return false;
    thread_local std::string joined; // keeps its memory, at most that of the longest command line
    joined.assign(text);
    std::replace(joined.begin(), joined.end(), '\0', ' ');
    return contains(joined, wanted);
}

Truth compare_joined(const TextTest& test, std::string_view text, bool end_known) {
    const std::string_view wanted = test.text;
    const auto result = [](bool holds, bool possible) {
        return holds ? Truth::yes : possible ? Truth::unknown : Truth::no;
    };
    // what is known so far is a beginning of what is wanted
    const bool may_go_on =
        !end_known && text.size() < wanted.size() && begins_with(text, wanted.substr(0, text.size()));
    switch (test.op) {
    case Op::prefix:
        return result(begins_with(text, wanted), may_go_on);
    case Op::suffix:
        if (!end_known)
            return Truth::unknown;
        return result(text.size() >= wanted.size() &&
                          begins_with(text.substr(text.size() - wanted.size()), wanted),
                      false);
    case Op::contains:
        return result(contains_joined(text, wanted), !end_known);
    default:
        return result(end_known && text.size() == wanted.size() && begins_with(text, wanted),
                      may_go_on || (!end_known && text.size() == wanted.size() && begins_with(text, wanted)));
    }
}

} // namespace

Values gid(const Event& event) {
    return credential(event, event.gid);
}
Values egid(const Event& event) {
    return credential(event, event.egid);
}
Values sgid(const Event& event) {
    return credential(event, event.sgid);
}
Values fsgid(const Event& event) {
    return credential(event, event.fsgid);
}
Values suid(const Event& event) {
    return credential(event, event.suid);
}
Values fsuid(const Event& event) {
    return credential(event, event.fsuid);
}
Values ses(const Event& event) {
    return number(event.ses, !(event.missing & EBT_MISSING_AUDIT));
}
Values file_uid(const Event& event) {
    return of_files(event, [](const InodeInfo& inode) { return inode.uid; });
}
Values file_gid(const Event& event) {
    return of_files(event, [](const InodeInfo& inode) { return inode.gid; });
}
Values file_mode(const Event& event) {
    return of_files(event, [](const InodeInfo& inode) { return inode.mode; });
}
Values file_type(const Event& event) {
    return of_files(event, [](const InodeInfo& inode) { return inode.mode & S_IFMT; });
}
Values file_inode(const Event& event) {
    return of_files(event, [](const InodeInfo& inode) { return inode.ino; });
}
Values file_devmajor(const Event& event) {
    return of_devices(event, device_major);
}
Values file_devminor(const Event& event) {
    return of_devices(event, device_minor);
}

Truth arch(const TextTest& test, const Event& event) {
    const std::string_view name = abi_name(event);
    return name.empty() ? Truth::unknown : compare(test, name, true, true);
}

/// Of a directory that was cut the end is kept.
Truth cwd(const TextTest& test, const Event& event) {
    return event.cwd.known() ? compare(test, event.cwd.bytes, !is_cut(event.cwd), true) : Truth::unknown;
}

Truth tty(const TextTest& test, const Event& event) {
    const Text& tty = event.image.tty;
    if (tty.known())
        return compare(test, tty.bytes, true, !is_cut(tty));
    const bool has_none = tty.status == Status::absent && event.image.exe.status != Status::absent;
    return has_none ? compare(test, {}, true, true) : Truth::unknown;
}

Truth cmdline(const TextTest& test, const Event& event) {
    const StringList& list = arguments(event);
    if (!list.known())
        return Truth::unknown;
    std::string_view text = list.bytes;
    if (!is_cut(list) && text.ends_with('\0'))
        text.remove_suffix(1);
    return compare_joined(test, text, !is_cut(list));
}

Truth argv(const TextTest& test, const Event& event) {
    const StringList& list = arguments(event);
    if (!list.known())
        return Truth::unknown;
    std::string_view rest = list.bytes;
    for (uint16_t i = 0; i < test.index && !rest.empty(); ++i)
        next_string(rest);
    if (rest.empty())
        return is_cut(list) ? Truth::unknown : Truth::no;
    const bool is_whole = rest.find('\0') != rest.npos || !is_cut(list);
    return compare(test, next_string(rest), true, is_whole);
}

uint8_t abis_of(const TextTest& test) {
    const Field* field = program_field(static_cast<uint8_t>(test.field));
    if (!field || field->compare != arch || (test.op != Op::eq && test.op != Op::ne))
        return EVERY_ABI;
    uint8_t named = 0;
    for (uint8_t abi = 0; abi < EBT_ABIS; ++abi)
        named |= test.text == ebpf_loader::abi_name(static_cast<ebt_abi>(abi)) ? 1 << abi : 0;
    return test.op == Op::eq ? named : EVERY_ABI & ~named;
}

Truth container(const TextTest& test, const Event& event) {
    if (!event.lineage || event.lineage->facts.cgroup.empty())
        return Truth::unknown;
    return compare(test, event.lineage->facts.container.id, true, true);
}

Truth parent_exe(const TextTest& test, const Event& event) {
    const LineageNode* parent = event.lineage ? event.lineage->parent.get() : nullptr;
    if (!parent || !parent->program || parent->program->executable.empty())
        return Truth::unknown;
    return compare(test, parent->program->executable, true, true);
}

/// The lines of descent that are followed are bounded, since processes make them.
Truth ancestor_exe(const TextTest& test, const Event& event) {
    constexpr int MOST = 64;
    const LineageNode* node = event.lineage;
    Truth truth = Truth::no;
    for (int i = 0; node && node->parent; ++i) {
        node = node->parent.get();
        const bool is_known = i < MOST && node->program && !node->program->executable.empty();
        const Truth here = is_known ? compare(test, node->program->executable, true, true) : Truth::unknown;
        truth = std::max(truth, here);
        if (truth == Truth::yes || i == MOST)
            return truth;
    }
    constexpr uint32_t INIT = 1, KERNEL_THREADS = 2;
    const bool is_whole = node && (node->key.pid == INIT || node->key.pid == KERNEL_THREADS);
    return is_whole ? truth : Truth::unknown;
}

/// A string that the call's argument points to; a null pointer gives none.
Truth argument(const TextTest& test, const Event& event) {
    for (size_t i = 0; i < event.strings && i < event.string.size(); ++i) {
        const StringField& string = event.string[i];
        if (string.argument != test.index)
            continue;
        if (string.known())
            return compare(test, string.bytes, true, !is_cut(string));
        const bool is_null = test.index < event.args.size() && event.args[test.index] == 0;
        return is_null || string.status == Status::absent ? Truth::no : Truth::unknown;
    }
    return event.lost_fields ? Truth::unknown : Truth::no;
}

} // namespace telemetry::rules::terms

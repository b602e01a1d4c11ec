// SPDX-License-Identifier: MIT
// The half of the decoder that knows the call: which path, string or file belongs to
// which argument, and what a path starts from.
#include "telemetry/event/decoder.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/event/lexical_path.hpp"
#include "telemetry/event/structure.hpp"

#include <algorithm>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/xattr.h>

namespace telemetry {

namespace {

using ebpf_loader::ArgKind;

bool has_kind(const Event& event, uint8_t argument, ArgKind kind) {
    return event.call && argument < event.call->arguments && event.call->argument[argument].kind == kind;
}

bool is_path_argument(const Event& event, uint8_t argument) {
    return event.call && argument < event.call->arguments &&
           ebpf_loader::is_path(event.call->argument[argument].kind);
}

/// The argument whose file a returned descriptor is; EBT_ARG_RET when no argument names one.
uint8_t argument_of_result(const Event& event) {
    for (uint8_t argument = 0; argument < EBT_ARGS; ++argument)
        if (is_path_argument(event, argument))
            return argument;
    return EBT_ARG_RET;
}

/// "./" in front changes nothing of what a path means, yet half of all relative paths
/// carry it: without it, one file has one name more often. "." alone is the base.
std::string_view without_dot(std::string_view path) {
    while (path.starts_with("./")) {
        size_t next = path.find_first_not_of('/', 1);
        path = next == path.npos ? std::string_view{} : path.substr(next);
    }
    return path == "." ? std::string_view{} : path;
}

/// Is one of these bits set in an argument that has flags of that kind?
bool has_flag(const Event& event, std::string_view flag_set, uint64_t bits) {
    for (uint8_t i = 0; i < event.call->arguments; ++i)
        if (event.call->argument[i].flag_set == flag_set && (event.args[i] & bits))
            return true;
    return false;
}

/// Does the call act on what a link leads to, if a path ends in one?
bool follows_last(const Event& event) {
    using ebpf_loader::EventClass;
    const ebpf_loader::SyscallRow& call = *event.call;
    if (call.event_class == EventClass::file_deletion || call.name.starts_with("rename"))
        return false;
    if (call.event_class == EventClass::file_creation)
        return call.returns == ebpf_loader::ReturnKind::file || has_flag(event, "at", AT_SYMLINK_FOLLOW);
    for (const std::string_view name :
         {"readlink", "lstat", "oldlstat", "lchown", "lsetxattr", "lgetxattr", "llistxattr", "lremovexattr"})
        if (call.name.starts_with(name))
            return false;
    for (const std::string_view flag_set : {"at", "at_access", "at_exec", "open_tree"})
        if (has_flag(event, flag_set, AT_SYMLINK_NOFOLLOW))
            return false;
    return !has_flag(event, "open", O_NOFOLLOW);
}

} // namespace

/// Paths and strings, in the order of the arguments they belong to.
void Decoder::resolve_arguments(Event& out) noexcept {
    const RawField& result = files_[EBT_ARG_RET];
    uint8_t target = result.is_there() ? argument_of_result(out) : EBT_ARG_RET;
    for (uint8_t argument = 0; argument < EBT_ARGS; ++argument)
        resolve_argument(argument, argument == target ? result : files_[argument], out);
    if (target == EBT_ARG_RET && result.is_there())
        add_file(EBT_ARG_RET, result, out);
    adopt_new_directory(out);
    if (strings_[EBT_ARG_RET].is_there() || directories_[EBT_ARG_RET].is_there())
        note(Defect::field_arg, out);
}

void Decoder::resolve_argument(uint8_t argument, const RawField& file, Event& out) noexcept {
    bool has_string = strings_[argument].is_there();
    bool names_path = has_string && is_path_argument(out, argument);
    // The file itself says more than the name by which it was opened.
    if (file.is_there() && (file.is_known() || !names_path))
        add_file(argument, file, out);
    else if (names_path)
        add_named_path(argument, out);
    if (has_string && !names_path && !add_structure(argument, out))
        add_string(argument, out);
}

PathField* Decoder::new_path(uint8_t argument, Event& out) noexcept {
    if (out.paths == out.path.size()) {
        note(Defect::excess, out);
        return nullptr;
    }
    PathField& path = out.path[out.paths++];
    path.argument = argument;
    return &path;
}

void Decoder::add_file(uint8_t argument, const RawField& file, Event& out) noexcept {
    if (PathField* path = new_path(argument, out)) {
        read_file(file, *path, out);
        path->argument = argument;
        path->created = (file.head.flags & EBT_CREATED) && out.call && // a duplicate's file is no new one
                        out.call->event_class == ebpf_loader::EventClass::file_open;
    }
}

/// A path as the process named it, made absolute where its base is known.
void Decoder::add_named_path(uint8_t argument, Event& out) noexcept {
    PathField* path = new_path(argument, out);
    if (!path)
        return;
    read_text(strings_[argument], *path, out);
    path->detached = path->foreign = path->deleted = false; // not for a string to say
    if (!path->known())
        return name_descriptor(argument, *path, out);
    if (has_kind(out, argument, ArgKind::path_text)) {
        path->relative = !path->bytes.starts_with('/');
        return;
    }
    const RawField& directory_field = directories_[argument];
    Text directory;
    if (directory_field.is_there())
        read_base(argument, directory, out);
    if (path->bytes.starts_with('/')) {
        if (out.root.status != Status::absent)
            join(out.root, *path);
    } else if (directory_field.is_there()) {
        join(directory, *path);
    } else if (!path->bytes.empty() || out.success()) {
        join(out.cwd, *path);
    } // else: a failed call with "", which names nothing
}

/// No path at all: utimensat and its like mean the descriptor itself then.
void Decoder::name_descriptor(uint8_t argument, PathField& path, Event& out) noexcept {
    const RawField& descriptor = directories_[argument];
    if (path.status != Status::unavailable || !descriptor.is_there() || !out.success())
        return;
    static_cast<Text&>(path) = Text{};
    read_base(argument, path, out);
    path.relative = path.status == Status::truncated;
}

/// A chdir or chroot that succeeded: what its path started from is gone, but where it
/// led is known.
void Decoder::adopt_new_directory(Event& out) noexcept {
    if (!out.success() || out.paths != 0)
        return;
    Text directory;
    if (has_kind(out, 0, ArgKind::path_new_cwd)) {
        directory = out.cwd;
    } else if (has_kind(out, 0, ArgKind::path_new_root)) {
        directory = out.root;
        if (directory.status == Status::absent && !out.lost_fields) { // back at the root of all
            directory.bytes = "/";
            directory.status = Status::ok;
            directory.original_length = 1;
        }
    }
    PathField* path = directory.status == Status::absent ? nullptr : new_path(0, out);
    if (path) {
        static_cast<Text&>(*path) = directory;
        path->relative = directory.status == Status::truncated; // its end is what is left
    }
}

/// The structure that the argument points to, if it does: the capabilities of a file are one, too.
bool Decoder::add_structure(uint8_t argument, Event& out) noexcept {
    const ebpf_loader::Argument* called =
        out.call && argument < out.call->arguments ? &out.call->argument[argument] : nullptr;
    if (!called)
        return false;
    std::string_view layout;
    if (called->kind == ArgKind::structure)
        layout = called->flag_set;
    else if (called->kind == ArgKind::bytes && out.strings == 1 && out.string[0].bytes == XATTR_NAME_CAPS)
        layout = "vfs_cap_data";
    out.structure_layout = find_structure(layout);
    if (!out.structure_layout)
        return false;
    out.structure_argument = argument;
    read_text(strings_[argument], out.structure, out);
    return true;
}

void Decoder::add_string(uint8_t argument, Event& out) noexcept {
    if (out.strings == out.string.size())
        return note(Defect::excess, out);
    StringField& string = out.string[out.strings++];
    string.argument = argument;
    read_text(strings_[argument], string, out);
}

void Decoder::join(const Text& base, PathField& path) noexcept {
    if (base.status != Status::ok) {
        path.relative = true;
        return;
    }
    bool absolute = path.bytes.starts_with('/');
    std::string_view name = absolute ? path.bytes.substr(1) : without_dot(path.bytes);
    auto dropped = static_cast<uint32_t>(path.bytes.size() - name.size());
    size_t mark = arena_.mark();
    if (base.bytes != "/" || name.empty())
        arena_.append(base.bytes);
    if (!name.empty())
        arena_.append("/");
    auto prefix = static_cast<uint32_t>(arena_.since(mark).size());
    arena_.append(name);
    path.bytes = arena_.since(mark);
    path.original_length = path.original_length - dropped + prefix;
    path.base = name.empty() ? prefix : prefix - 1;
    path.detached = base.detached;
    path.foreign = base.foreign;
    path.deleted = base.deleted;
}

/// What the process wrote becomes what the kernel would write: rules see through other spellings.
void Decoder::rewrite_paths(Event& out) noexcept {
    for (uint8_t i = 0; i < out.paths; ++i) {
        const PathField& path = out.path[i];
        if (path.source == Source::user_memory && path.known() && !is_free_text(out, path))
            rewrite_path(i, out);
        if (may_be_scoped(out, path))
            out.path[i].lexical = true;
    }
}

/// RESOLVE_IN_ROOT makes the directory the root of the path; where openat2 failed there is no file that tells
/// which was meant.
bool Decoder::may_be_scoped(const Event& out, const PathField& path) const noexcept {
    if (out.success() || path.source != Source::user_memory || !out.call || out.call->name != "openat2")
        return false;
    const auto resolve = member_of(out, "resolve");
    if (resolve && !(*resolve & RESOLVE_IN_ROOT))
        return false;
    const std::string_view written = path.argument < strings_.size() ? strings_[path.argument].bytes : "";
    return written.starts_with('/') || written.find("..") != written.npos;
}

void Decoder::rewrite_path(uint8_t index, Event& out) noexcept {
    PathField& path = out.path[index];
    WrittenPath written;
    written.bytes = path.bytes;
    written.base = path.base;
    if (out.root.status == Status::ok)
        written.root = out.root.bytes;
    if (is_plain(written))
        return;
    if (out.cwd.status == Status::ok)
        written.cwd = out.cwd.bytes;
    written.pid = out.pid;
    written.is_cut = path.status == Status::truncated;
    written.follows_last = !out.call || follows_last(out);
    const LexicalPath lexical = lexical_path(written, arena_);
    path.lexical = lexical.is_guess;
    path.relative |= lexical.is_relative;
    if (!lexical.changed)
        return;
    if (!out.witnessed)
        witnessed_ = Witnessed{};
    out.witnessed = &witnessed_;
    witnessed_.called[index] = path;
    // Not if ".." led out of the directory that has been removed.
    path.deleted &= lexical.bytes.starts_with(path.bytes.substr(0, path.base));
    path.bytes = lexical.bytes;
    path.original_length -= static_cast<uint32_t>(written.bytes.size());
    path.original_length += static_cast<uint32_t>(lexical.bytes.size());
    if (lexical.start != LexicalPath::Start::as_written) {
        const Text& start = lexical.start == LexicalPath::Start::cwd ? out.cwd : out.root;
        path.detached = start.detached;
        path.foreign = start.foreign;
    }
}

uint8_t argument_of_exec(const Event& event) {
    return event.call ? argument_of_result(event) : uint8_t{EBT_ARG_NONE};
}

void adopt_exec_path(Event& event) noexcept {
    const Image& image = event.image;
    const bool is_script = image.script.known();
    if (!has_new_image(event) || event.paths != 0 || image.exe.status == Status::absent ||
        (event.kind == EBT_EXEC && !is_script))
        return;
    event.path[0] = is_script ? image.script : image.exe;
    event.path[0].argument = argument_of_exec(event);
    event.paths = 1;
}

} // namespace telemetry

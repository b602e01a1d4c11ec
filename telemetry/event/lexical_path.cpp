// SPDX-License-Identifier: MIT
#include "telemetry/event/lexical_path.hpp"

#include <algorithm>
#include <charconv>

namespace telemetry {

namespace {

constexpr std::string_view proc = "/proc/";
constexpr std::string_view descriptors = "/dev/fd/"; ///< a symbolic link to /proc/self/fd

bool is_below(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// The root as a prefix of paths: "/" is none.
std::string_view prefix_of(std::string_view root) {
    return root == "/" ? std::string_view() : root;
}

/// Is there nothing to take out of what begins at `from`?
bool is_clean(std::string_view path, size_t from) {
    if (from == 0 && path.starts_with("./"))
        return false;
    for (size_t slash = path.find('/', from); slash != path.npos; slash = path.find('/', slash + 1)) {
        const std::string_view rest = path.substr(slash + 1, 3);
        if (rest.empty())
            return path.size() == 1;
        if (rest[0] == '/')
            return false;
        if (rest[0] != '.')
            continue;
        if (rest.size() == 1 || rest[1] == '/' || (rest[1] == '.' && (rest.size() == 2 || rest[2] == '/')))
            return false;
    }
    return true;
}

/// Whose folder of /proc is it, as far as links in it are concerned?
enum class Owner { none, self, thread, other };

class Rewriter {
  public:
    Rewriter(const WrittenPath& written, Arena& arena) noexcept;
    void run() noexcept;
    LexicalPath result() const noexcept;

  private:
    /// What a link of /proc leads to.
    enum class Link { none, root, cwd, unknown };

    std::string_view text() const noexcept { return arena_.since(mark_); }
    void start_at(std::string_view directory) noexcept;
    void set_floor() noexcept;
    void step(std::string_view component, std::string_view rest) noexcept;
    void up() noexcept;
    void put(std::string_view component) noexcept;
    Link link_at(std::string_view component, Owner& owner) const noexcept;
    Owner owner_of(std::string_view folder) const noexcept;
    void follow(Link link, Owner owner, bool is_last, std::string_view component) noexcept;

    const WrittenPath& written_;
    Arena& arena_;
    const size_t mark_;
    size_t given_ = 0; ///< bytes of the text that the kernel vouches for: no symbolic link is in them
    size_t floor_ = 0; ///< ".." does not lead above these
    bool is_absolute_;
    bool is_guess_ = false;
    bool is_relative_ = false;
    LexicalPath::Start start_ = LexicalPath::Start::as_written;
};

Rewriter::Rewriter(const WrittenPath& written, Arena& arena) noexcept
    : written_(written), arena_(arena), mark_(arena.mark()),
      is_absolute_(written.bytes.starts_with('/') || written.base != 0) {
    start_at(written.bytes.substr(0, written.base));
}

void Rewriter::start_at(std::string_view directory) noexcept {
    arena_.back_to(mark_);
    arena_.append(prefix_of(directory));
    given_ = text().size();
    set_floor();
}

/// Below its root a process stays there; what hangs on no mount has a top of its own.
void Rewriter::set_floor() noexcept {
    const std::string_view root = prefix_of(written_.root), path = text();
    if (!path.empty() && path[0] != '/')
        floor_ = std::min(path.find('/'), path.size());
    else
        floor_ = is_below(path, root) ? root.size() : 0;
}

void Rewriter::run() noexcept {
    std::string_view rest = written_.bytes.substr(written_.base);
    while (true) {
        rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
        if (rest.empty())
            return;
        const std::string_view component = rest.substr(0, rest.find('/'));
        rest.remove_prefix(component.size());
        step(component, rest);
    }
}

void Rewriter::step(std::string_view component, std::string_view rest) noexcept {
    if (rest.empty() && written_.is_cut)
        return put(component);
    if (component == ".")
        return;
    if (component == "..")
        return up();
    Owner owner = Owner::none;
    const bool is_followed = !rest.empty() || written_.follows_last; // a slash behind it is enough
    const Link link = is_followed ? link_at(component, owner) : Link::none;
    if (link == Link::none)
        put(component);
    else
        follow(link, owner, rest.find_first_not_of('/') == rest.npos, component);
}

void Rewriter::put(std::string_view component) noexcept {
    if (is_absolute_ || !text().empty())
        arena_.append('/');
    arena_.append(component);
}

void Rewriter::up() noexcept {
    const std::string_view path = text();
    if (!is_absolute_ && (path.empty() || path == ".." || path.ends_with("/..")))
        return put("..");
    if (path.size() <= floor_)
        return;
    is_guess_ |= path.size() > given_;
    const size_t slash = path.rfind('/');
    const size_t end = std::max(slash == path.npos ? 0 : slash, floor_);
    arena_.back_to(mark_ + end);
    given_ = std::min(given_, end);
}

/// `folder` is what stands behind "/proc": "/self", "/42", "/42/task/43".
Owner Rewriter::owner_of(std::string_view folder) const noexcept {
    constexpr size_t longest = 36; // a path of hostile length is not looked at again and again
    if (folder.size() > longest || !folder.starts_with('/'))
        return Owner::none;
    folder.remove_prefix(1);
    const std::string_view process = folder.substr(0, folder.find('/'));
    std::string_view rest = folder.substr(process.size());
    const bool has_thread = rest.starts_with("/task/");
    if (has_thread ? !is_number(rest.substr(6)) : !rest.empty())
        return Owner::none;
    if (process == "self" || process == "thread-self")
        return has_thread ? Owner::thread : Owner::self;
    if (!is_number(process))
        return Owner::none;
    uint32_t pid = 0;
    std::from_chars(process.data(), process.data() + process.size(), pid);
    if (pid != written_.pid)
        return Owner::other;
    return has_thread ? Owner::thread : Owner::self;
}

Rewriter::Link Rewriter::link_at(std::string_view component, Owner& owner) const noexcept {
    std::string_view folder = text();
    const std::string_view root = prefix_of(written_.root);
    if (!is_absolute_ || !folder.starts_with(root))
        return Link::none;
    folder.remove_prefix(root.size());
    if (is_number(component) && folder == descriptors.substr(0, descriptors.size() - 1)) {
        owner = Owner::self;
        return Link::unknown;
    }
    if (!folder.starts_with(proc))
        return Link::none;
    folder.remove_prefix(proc.size() - 1);
    Link link = component == "root"  ? Link::root
                : component == "cwd" ? Link::cwd
                : component == "exe" ? Link::unknown
                                     : Link::none;
    for (const std::string_view links : {std::string_view("/fd"), std::string_view("/map_files")}) {
        if (link == Link::none && folder.ends_with(links)) {
            folder.remove_suffix(links.size());
            link = Link::unknown;
        }
    }
    owner = link == Link::none ? Owner::none : owner_of(folder);
    return owner == Owner::none ? Link::none : link;
}

void Rewriter::follow(Link link, Owner owner, bool is_last, std::string_view component) noexcept {
    const bool is_own = owner != Owner::other;
    is_guess_ |= owner == Owner::thread && link != Link::unknown; // may have a root and a cwd of its own
    if (link == Link::root) {
        is_guess_ |= !is_own;
        start_ = LexicalPath::Start::root;
        return start_at(is_own ? written_.root : "/");
    }
    if (link == Link::cwd && is_own && !written_.cwd.empty()) {
        start_ = LexicalPath::Start::cwd;
        return start_at(written_.cwd);
    }
    is_relative_ = true;
    if (is_last)
        return put(component);
    arena_.back_to(mark_);
    is_absolute_ = false;
    given_ = floor_ = 0;
}

LexicalPath Rewriter::result() const noexcept {
    LexicalPath path;
    path.bytes = text();
    if (path.bytes.empty())
        path.bytes = is_absolute_ ? "/" : ".";
    path.is_guess = is_guess_;
    path.is_relative = is_relative_;
    path.start = start_;
    return path;
}

} // namespace

bool is_plain(const WrittenPath& written) noexcept {
    const size_t root = std::min(prefix_of(written.root).size(), written.bytes.size());
    const std::string_view below = written.bytes.substr(root);
    const bool may_lead_back = below.starts_with(proc) || below.starts_with(descriptors);
    return !may_lead_back && is_clean(written.bytes, written.base);
}

LexicalPath lexical_path(const WrittenPath& written, Arena& arena) noexcept {
    LexicalPath result;
    result.bytes = written.bytes;
    if (written.bytes.empty())
        return result;
    const size_t mark = arena.mark();
    Rewriter rewriter(written, arena);
    rewriter.run();
    result = rewriter.result();
    result.changed = result.bytes != written.bytes;
    if (!result.changed) {
        arena.back_to(mark);
        result.bytes = written.bytes;
    }
    return result;
}

} // namespace telemetry

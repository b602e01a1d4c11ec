// SPDX-License-Identifier: MIT
#include "telemetry/rules/auditctl/conditions.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <linux/audit.h>
#include <sys/stat.h>

#include <ebpf_loader/constants.hpp>
#include <ebpf_loader/syscalls.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/rules/cursor.hpp"
#include "telemetry/rules/terms/accounts.hpp"

namespace telemetry::rules::auditctl {
namespace {

/// How the value of a field is written.
enum class Form : uint8_t { number, user, group, session, exit, truth, file_type, executable, none };

struct AuditField {
    std::string_view name;
    std::string_view field; ///< of the rule language
    Form form;
    bool of_files = false;
    bool of_addresses = false;
    std::string_view why_not = {}; ///< of Form::none
};

constexpr std::string_view NO_LABELS = "events have no labels of SELinux";
constexpr AuditField FIELDS[] = {
    {"a0", "a0", Form::number},
    {"a1", "a1", Form::number},
    {"a2", "a2", Form::number},
    {"a3", "a3", Form::number},
    {"pid", "pid", Form::number},
    {"ppid", "ppid", Form::number},
    {"uid", "uid", Form::user},
    {"euid", "euid", Form::user},
    {"suid", "suid", Form::user},
    {"fsuid", "fsuid", Form::user},
    {"auid", "auid", Form::user},
    {"loginuid", "auid", Form::user},
    {"gid", "gid", Form::group},
    {"egid", "egid", Form::group},
    {"sgid", "sgid", Form::group},
    {"fsgid", "fsgid", Form::group},
    {"sessionid", "ses", Form::session},
    {"exit", "ret", Form::exit},
    {"success", "success", Form::truth},
    {"exe", "exe", Form::executable},
    {"obj_uid", "file.uid", Form::user, true},
    {"obj_gid", "file.gid", Form::group, true},
    {"inode", "file.inode", Form::number, true},
    {"devmajor", "file.devmajor", Form::number, true},
    {"devminor", "file.devminor", Form::number, true},
    {"filetype", "file.type", Form::file_type, true},
    {"saddr_fam", "family", Form::number, false, true},
    {"pers", {}, Form::none, false, false, "events have no personality of a process"},
    {"fstype", {}, Form::none, false, false, "events have no type of a file system"},
    {"msgtype", {}, Form::none, false, false, "there are events here and no types of messages"},
    {"subj_user", {}, Form::none, false, false, NO_LABELS},
    {"subj_role", {}, Form::none, false, false, NO_LABELS},
    {"subj_type", {}, Form::none, false, false, NO_LABELS},
    {"subj_sen", {}, Form::none, false, false, NO_LABELS},
    {"subj_clr", {}, Form::none, false, false, NO_LABELS},
    {"obj_user", {}, Form::none, true, false, NO_LABELS},
    {"obj_role", {}, Form::none, true, false, NO_LABELS},
    {"obj_type", {}, Form::none, true, false, NO_LABELS},
    {"obj_lev_low", {}, Form::none, true, false, NO_LABELS},
    {"obj_lev_high", {}, Form::none, true, false, NO_LABELS},
};

/// Longest first, as auditctl looks for them.
struct AuditOperator {
    std::string_view sign;
    Op op;
};
constexpr AuditOperator OPERATORS[] = {
    {"!=", Op::ne}, {">=", Op::ge}, {"<=", Op::le}, {"&=", Op::all_bits},
    {"=", Op::eq},  {">", Op::gt},  {"<", Op::lt},  {"&", Op::any_bits},
};

struct FileType {
    std::string_view name;
    uint32_t type;
};
constexpr FileType FILE_TYPES[] = {{"file", S_IFREG}, {"dir", S_IFDIR},   {"socket", S_IFSOCK},
                                   {"link", S_IFLNK}, {"block", S_IFBLK}, {"character", S_IFCHR},
                                   {"fifo", S_IFIFO}};

struct Pair {
    std::string_view field;
    std::string_view value;
    Op op;
};

Pair split(const Word& word) {
    const std::string_view text = word.text;
    for (const AuditOperator& known : OPERATORS) {
        const size_t at = text.find(known.sign);
        if (at == text.npos)
            continue;
        const Pair pair{text.substr(0, at), text.substr(at + known.sign.size()), known.op};
        if (pair.field.empty() || pair.value.empty())
            break;
        return pair;
    }
    throw Mistake{word.where, in_quotes(word.text) + " is no comparison",
                  "FIELD, one of = != < > <= >= & &=, and VALUE, without blanks"};
}

const AuditField& find_field_of(const Word& word, std::string_view name) {
    for (const AuditField& field : FIELDS)
        if (field.name == name)
            return field;
    std::vector<std::string_view> names = {"arch", "path", "dir", "perm", "key"};
    for (const AuditField& field : FIELDS)
        names.push_back(field.name);
    throw Mistake{word.where, "unknown field " + in_quotes(name),
                  "a field of auditctl(8)" + suggestion(name, names)};
}

/// Decimal, octal with 0 and hexadecimal with 0x in front, and a sign.
std::optional<uint64_t> parse_number(std::string_view text) {
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative);
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.starts_with('0')) {
        base = 8;
    }
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return negative ? -value : value;
}

uint64_t number(const Word& word, std::string_view text, bool is_wide) {
    const auto value = parse_number(text);
    const bool fits = value && (is_wide || *value <= UINT32_MAX || *value >= 0xffffffff80000000);
    if (!fits)
        throw Mistake{word.where, in_quotes(text) + " is no number that the field can have",
                      "a number from -2147483648 to 4294967295, also octal or hexadecimal"};
    return *value;
}

uint64_t id(const Word& word, std::string_view text, Ids ids) {
    if (text == "unset" && ids == Ids::users)
        return UINT32_MAX;
    if (is_digit(text.front()) || text.front() == '-')
        return number(word, text, false);
    const auto found = terms::find_id(ids, text);
    if (!found)
        throw Mistake{word.where,
                      std::string("there is no ") + (ids == Ids::users ? "user " : "group ") +
                          in_quotes(text) + " in " + terms::id_file(ids),
                      "one that is there, or its number"};
    return *found;
}

uint64_t exit_value(const Word& word, std::string_view text) {
    const bool negative = text.starts_with('-');
    const auto error = ebpf_loader::find_constant("errno", text.substr(negative));
    if (error)
        return negative ? -*error : *error;
    return number(word, text, false);
}

uint64_t file_type(const Word& word, std::string_view text) {
    for (const FileType& known : FILE_TYPES)
        if (known.name == text)
            return known.type;
    throw Mistake{word.where, "unknown type of files " + in_quotes(text),
                  "file, dir, socket, link, block, character or fifo"};
}

bool truth(const Word& word, std::string_view text) {
    for (const std::string_view yes : {"1", "yes", "true"})
        if (text == yes)
            return true;
    for (const std::string_view no : {"0", "no", "false"})
        if (text == no)
            return false;
    throw Mistake{word.where, "success is either 1 or 0", "success=1 or success=0"};
}

uint64_t value_of(const AuditField& field, const Word& word, std::string_view text) {
    switch (field.form) {
    case Form::user:
        return id(word, text, Ids::users);
    case Form::group:
        return id(word, text, Ids::groups);
    case Form::session:
        return text == "unset" ? UINT32_MAX : number(word, text, false);
    case Form::exit:
        return exit_value(word, text);
    case Form::file_type:
        return file_type(word, text);
    default:
        return number(word, text, field.name == "inode");
    }
}

Comparison begun(const Word& word, std::string_view field, Type type, Op op) {
    Comparison comparison;
    comparison.field_at = comparison.value_at = word.where;
    comparison.field = field;
    comparison.type = type;
    comparison.op = op;
    return comparison;
}

void require_equality(const Word& word, Op op) {
    if (op != Op::eq && op != Op::ne)
        throw Mistake{word.where, "the field can only be equal or not", "= or !="};
}

/// auditd's arguments are 32 bits wide, and of several files one that differs is enough.
std::shared_ptr<const Comparison> number_comparison(const AuditField& field, const Word& word,
                                                    const Pair& pair) {
    Comparison result = begun(word, field.field, Type::number, pair.op);
    NumberTerm term;
    term.where = word.where;
    term.bits = value_of(field, word, pair.value);
    result.number.push_back(term);
    result.is_32_bit = field.field.size() == 2 && field.field[0] == 'a';
    result.one_differs = field.of_files || field.of_addresses;
    return std::make_shared<Comparison>(std::move(result));
}

Arch arch_of(const Word& word, const Pair& pair) {
    require_equality(word, pair.op);
    const std::string_view name = pair.value;
    const auto machine = parse_number(name);
    constexpr bool is_x86 = EBT_NATIVE_ABI == EBT_X86_64;
    const bool is_i386 =
        name.size() == 4 && name[0] == 'i' && name[1] >= '3' && name[1] <= '6' && name.substr(2) == "86";
    const bool is_64 = name == "b64" || name == ebpf_loader::abi_name(EBT_NATIVE_ABI) ||
                       machine == (is_x86 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64);
    const bool is_32 = name == "b32" || machine == (is_x86 ? AUDIT_ARCH_I386 : AUDIT_ARCH_ARM) ||
                       (is_x86 ? is_i386 : name.starts_with("arm"));
    if (is_64 || is_32)
        return is_64 == (pair.op == Op::eq) ? Arch::b64 : Arch::b32;
    return pair.op == Op::eq ? Arch::foreign : Arch::any;
}

Ids ids_of(const AuditField& field) {
    return field.form == Form::user ? Ids::users : field.form == Form::group ? Ids::groups : Ids::none;
}

std::string trimmed(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/'))
        path.remove_suffix(1);
    return std::string(path);
}

} // namespace

std::shared_ptr<const Comparison> text_comparison(const Word& word, std::string_view field, Op op,
                                                  std::string text) {
    Comparison result = begun(word, field, Type::text, op);
    result.text = std::move(text);
    return std::make_shared<Comparison>(std::move(result));
}

std::shared_ptr<const Comparison> truth_comparison(const Word& word, std::string_view field, bool truth) {
    Comparison result = begun(word, field, Type::truth, Op::eq);
    result.truth = truth;
    return std::make_shared<Comparison>(std::move(result));
}

std::vector<std::shared_ptr<const Comparison>> spellings(const Word& path, std::string_view field,
                                                         bool below) {
    std::vector<std::string> names = {trimmed(path.text)};
    std::error_code error;
    const std::string led = trimmed(std::filesystem::weakly_canonical(names[0], error).string());
    if (!error && led.starts_with('/') && led != names[0])
        names.push_back(led);
    std::vector<std::shared_ptr<const Comparison>> result;
    for (const std::string& name : names) {
        const bool is_root = name == "/";
        result.push_back(text_comparison(path, field, Op::eq, name));
        if (below)
            result.push_back(text_comparison(path, field, Op::prefix, is_root ? name : name + '/'));
    }
    return result;
}

void Conditions::add_field(const Word& word) {
    if (comparisons.size() == MAX_COMPARISONS)
        throw Mistake{word.where, "more than " + std::to_string(MAX_COMPARISONS) + " comparisons in one rule",
                      "fewer of them"};
    const Pair pair = split(word);
    if (pair.field == "arch") {
        arch = arch_of(word, pair);
    } else if (pair.field == "perm") {
        if (pair.op != Op::eq)
            throw Mistake{word.where, "perm is only compared by =", "perm= and some of rwxa"};
        add_permissions(word, pair.value);
    } else if (pair.field == "path" || pair.field == "dir") {
        if (pair.op != Op::eq)
            throw Mistake{word.where, std::string(pair.field) + " is only compared by =", "= and a path"};
        add_path(word, pair.value);
    } else if (pair.field == "key") {
        add_key(word, pair.value);
    } else {
        const AuditField& field = find_field_of(word, pair.field);
        needs_files = needs_files || field.of_files;
        needs_address = needs_address || field.of_addresses;
        if (field.form == Form::none) {
            if (dishonoured.empty())
                dishonoured = std::string(field.name) + " is not compared: " + std::string(field.why_not);
        } else if (field.form == Form::executable) {
            require_equality(word, pair.op);
            if (!executables.empty())
                throw Mistake{word.where, "the rule has an executable already", "one exe= a rule"};
            const Word path{word.where, std::string(pair.value)};
            if (pair.op == Op::eq)
                executables.push_back(path);
            else
                for (const auto& spelling : spellings(path, "exe", false))
                    comparisons.push_back(text_comparison(word, "exe", Op::ne, spelling->text));
        } else if (field.form == Form::truth) {
            require_equality(word, pair.op);
            comparisons.push_back(
                truth_comparison(word, field.field, truth(word, pair.value) == (pair.op == Op::eq)));
        } else {
            comparisons.push_back(number_comparison(field, word, pair));
        }
    }
}

void Conditions::add_comparison(const Word& word) {
    const Pair pair = split(word);
    require_equality(word, pair.op);
    const AuditField& left = find_field_of(word, pair.field);
    const AuditField& right = find_field_of(word, pair.value);
    if (ids_of(left) == Ids::none || ids_of(left) != ids_of(right))
        throw Mistake{
            word.where, "these fields are not compared with each other",
            "two of auid, uid, euid, suid, fsuid, obj_uid, or two of gid, egid, sgid, fsgid, obj_gid"};
    Comparison result = begun(word, left.field, Type::number, pair.op);
    result.other = right.field;
    result.one_differs = left.of_files || right.of_files;
    needs_files = needs_files || result.one_differs;
    comparisons.push_back(std::make_shared<Comparison>(std::move(result)));
}

void Conditions::add_permissions(const Word& word, std::string_view letters) {
    permissions.clear();
    for (const char letter : letters) {
        const char c = static_cast<char>(letter | ' ');
        if (std::string_view("rwxa").find(c) == std::string_view::npos)
            throw Mistake{word.where, "unknown permission " + in_quotes(std::string_view(&letter, 1)),
                          "some of r, w, x and a"};
        if (permissions.find(c) == std::string::npos)
            permissions += c;
    }
}

void Conditions::add_path(const Word& word, std::string_view path) {
    needs_files = true;
    if (!paths.empty())
        throw Mistake{word.where, "the rule has a path already", "one path= or dir= a rule"};
    if (!path.starts_with('/'))
        throw Mistake{word.where, "the path does not begin with /", "an absolute path"};
    paths.push_back({word.where, std::string(path)});
}

void Conditions::add_key(const Word& word, std::string_view key) {
    const bool is_printable =
        std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (key.empty() || key.size() > MAX_KEY || !is_printable)
        throw Mistake{word.where, "this cannot be a key",
                      "1 to " + std::to_string(MAX_KEY) + " printable ASCII characters"};
    keys.emplace_back(key);
}

} // namespace telemetry::rules::auditctl

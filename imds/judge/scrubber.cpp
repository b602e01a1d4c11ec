// SPDX-License-Identifier: MIT
#include "imds/judge/scrubber.hpp"

#include <algorithm>

#include "imds/http/headers.hpp"
#include "imds/judge/redaction.hpp"
#include "telemetry/event/facts.hpp"

namespace telemetry::imds {
namespace {

/// The names of secrets; ":" or "=" separates them from the value.
constexpr std::string_view names[] = {
    "x-aws-ec2-metadata-token",
    "x-aliyun-ecs-metadata-token",
    "metadata-token",
    "authorization",
    "aws_secret_access_key",
    "aws_session_token",
    "secretaccesskey",
    "securitytoken",
    "aws_container_authorization_token",
};
constexpr std::string_view credentials_path = "/credentials/";

bool ends_path(char c) {
    return c == ' ' || c == '"' || c == '\'' || c == '?' || c == '\t' || c == '\n' || c == ';' || c == '|';
}

bool ends_value(char c) {
    return c == '"' || c == '\'' || c == '\n';
}

bool begins_with(std::string_view text, std::string_view name) {
    return text.size() >= name.size() && equals_ignoring_case(text.substr(0, name.size()), name);
}

/// The offset of the value, if `text` begins with a name and a separator; else 0.
size_t value_after_name(std::string_view text) {
    for (const std::string_view name : names) {
        if (!begins_with(text, name))
            continue;
        size_t at = name.size();
        while (at < text.size() && (text[at] == ' ' || text[at] == '"' || text[at] == '\''))
            ++at;
        if (at == text.size() || (text[at] != ':' && text[at] != '='))
            continue;
        ++at;
        while (at < text.size() && (text[at] == ' ' || text[at] == '"' || text[at] == '\''))
            ++at;
        return at;
    }
    return 0;
}

/// The offset of what must be hidden, if `text` begins with the name of a secret or the path; else 0.
size_t hidden_from(std::string_view text, bool& is_path) {
    is_path = begins_with(text, credentials_path);
    return is_path ? credentials_path.size() : value_after_name(text);
}

/// Can a name or the path begin with this character? Most characters are excluded quickly.
bool may_begin(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return c == '/' || lower == 'x' || lower == 'm' || lower == 'a' || lower == 's';
}

bool is_in(char c, char first, char last) {
    return c >= first && c <= last;
}

bool is_of_tokens(char c) {
    constexpr std::string_view others = "+/=-_.~";
    return is_in(c, 'A', 'Z') || is_in(c, 'a', 'z') || is_in(c, '0', '9') || others.find(c) != others.npos;
}

/// Random bytes in letters: of base64 in either alphabet or a JWT, which have capitals among other
/// characters, or in hexadecimal, as UUIDs. Words, names, paths and command lines as a rule are not.
bool looks_like_token(std::string_view text) {
    bool has_capital = false, has_small = false, has_digit = false, is_hexadecimal = true;
    for (const char c : text) {
        const bool is_capital = is_in(c, 'A', 'Z'), is_small = is_in(c, 'a', 'z'),
                   is_digit = is_in(c, '0', '9');
        if (!is_of_tokens(c))
            return false;
        has_capital |= is_capital;
        has_small |= is_small;
        has_digit |= is_digit;
        is_hexadecimal &= is_digit || c == '-' || is_in(c, 'a', 'f');
    }
    constexpr size_t shortest_hexadecimal = 16;
    return (has_capital && (has_small || has_digit)) ||
           (is_hexadecimal && has_small && has_digit && text.size() >= shortest_hexadecimal);
}

} // namespace

void Scrubber::learn(uint32_t netns, std::string_view secret) {
    secret = trimmed(secret);
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r'))
        secret.remove_suffix(1);
    if (!looks_like_token(secret))
        return;
    secrets_of(netns).add(secret);
    make_room();
}

void Scrubber::distrust(uint32_t netns, uint64_t time_ns) {
    const uint64_t until = time_ns + distrust_ns;
    std::erase_if(distrusted_, [&](const auto& other) { return other.second <= time_ns; });
    if (distrusted_.size() >= most_namespaces && !distrusted_.contains(netns))
        all_distrusted_until_ = std::max(all_distrusted_until_, until);
    else
        distrusted_[netns] = std::max(distrusted_[netns], until);
}

bool Scrubber::is_distrusted(uint32_t netns) const {
    const auto found = distrusted_.find(netns);
    return time_ns_ < all_distrusted_until_ || (found != distrusted_.end() && time_ns_ < found->second);
}

SecretSet& Scrubber::secrets_of(uint32_t netns) {
    const auto found = std::ranges::find(learned_, netns, &Namespace::netns);
    if (found == learned_.end())
        learned_.emplace_front(netns);
    else
        learned_.splice(learned_.begin(), learned_, found);
    return learned_.front().secrets;
}

const SecretSet* Scrubber::find(uint32_t netns) const {
    const auto found = std::ranges::find(learned_, netns, &Namespace::netns);
    return found == learned_.end() ? nullptr : &found->secrets;
}

/// The namespace that learned nothing for longest goes, but not the machine's, nor the last.
void Scrubber::make_room() {
    size_t bytes = 0;
    for (const Namespace& learned : learned_)
        bytes += learned.secrets.bytes();
    for (auto at = learned_.end(); at != std::next(learned_.begin());) {
        if (learned_.size() <= most_namespaces && bytes <= most_bytes)
            return;
        --at;
        if (at->netns == machine_netns_)
            continue;
        bytes -= at->secrets.bytes();
        at = learned_.erase(at);
    }
}

size_t Scrubber::size() const {
    size_t size = 0;
    for (const Namespace& learned : learned_)
        size += learned.secrets.size();
    return size;
}

std::string Scrubber::without_known(uint32_t netns, std::string_view text) {
    const SecretSet* const secrets = find(netns);
    std::string clean = secrets ? secrets->without(text, budget_) : std::string(text);
    return is_distrusted(netns) ? without_words(clean) : clean;
}

/// Without all that looks_like_token() would take for one, whatever is beside it.
std::string Scrubber::without_words(std::string_view text) {
    std::string clean;
    while (!text.empty()) {
        const size_t length = std::min(
            static_cast<size_t>(std::ranges::find_if_not(text, is_of_tokens) - text.begin()), text.size());
        const std::string_view word = text.substr(0, std::max<size_t>(length, 1));
        const bool is_plain = word.size() < SecretSet::shortest || std::ranges::none_of(word, [](char c) {
                                  return is_in(c, 'A', 'Z') || is_in(c, '0', '9');
                              });
        clean += is_plain ? std::string(word) : redacted(word.size());
        text.remove_prefix(word.size());
    }
    return clean;
}

std::string Scrubber::without_named(std::string_view text) {
    std::string clean;
    for (size_t at = 0; at < text.size();) {
        bool is_path = false;
        const size_t behind = may_begin(text[at]) ? hidden_from(text.substr(at), is_path) : 0;
        if (!behind) {
            clean.push_back(text[at++]);
            continue;
        }
        clean.append(text.substr(at, behind));
        at += behind;
        size_t end = at;
        while (end < text.size() && !(is_path ? ends_path(text[end]) : ends_value(text[end])))
            ++end;
        if (end > at)
            clean.append(redacted(end - at));
        at = end;
    }
    return clean;
}

/// Scrubs each string by itself.
std::string Scrubber::scrubbed_arguments(uint32_t netns, std::string_view strings) {
    std::string clean;
    while (!strings.empty()) {
        const std::string_view string = next_string(strings);
        clean += scrubbed(netns, string);
        clean.push_back('\0');
    }
    return clean;
}

SharedCaller Scrubber::scrubbed(uint32_t netns, const SharedCaller& caller) {
    if (!caller || !caller->process.event().image.argv.known())
        return caller;
    const Event& before = caller->process.event();
    const std::string argv = scrubbed_arguments(netns, before.image.argv.bytes);
    const bool had_end = before.image.argv.bytes.ends_with('\0');
    const std::string_view bytes = std::string_view(argv).substr(0, argv.size() - !had_end);
    if (bytes == before.image.argv.bytes)
        return caller;
    Event after = before;
    after.image.argv.bytes = bytes;
    auto copy = std::make_shared<Caller>(after);
    copy->is_known = caller->is_known;
    copy->facts = caller->facts;
    copy->user_stack = caller->user_stack;
    copy->lineage = caller->lineage;
    return copy;
}

std::shared_ptr<const LineageNode> Scrubber::scrubbed(uint32_t netns,
                                                      const std::shared_ptr<const LineageNode>& node) {
    if (!node || !node->program || node->program->argv.empty())
        return node;
    std::string argv = scrubbed_arguments(netns, node->program->argv);
    if (!node->program->argv.ends_with('\0'))
        argv.pop_back();
    if (argv == node->program->argv)
        return node;
    auto program = std::make_shared<ExecutedProgram>(*node->program);
    program->argv = std::move(argv);
    auto copy = std::make_shared<LineageNode>(*node);
    copy->program = std::move(program);
    return copy;
}

} // namespace telemetry::imds

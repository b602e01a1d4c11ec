// SPDX-License-Identifier: MIT
#include "imds/judge/scrubber.hpp"

#include <algorithm>

#include "imds/http/headers.hpp"
#include "imds/judge/body_fields.hpp"
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

} // namespace

void Scrubber::learn(std::string_view secret) {
    secret = trimmed(secret);
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r'))
        secret.remove_suffix(1);
    if (secret.size() < shortest || secret.size() > longest)
        return;
    if (!known_.emplace(secret).second)
        return;
    secrets_.emplace_back(secret);
    if (secrets_.size() <= most)
        return;
    known_.erase(secrets_.front());
    secrets_.pop_front();
}

void Scrubber::learn_body(std::string_view body) {
    const std::vector<std::string_view> strings = find_secret_strings(body);
    for (const std::string_view string : strings)
        learn(string);
    if (strings.empty() && body.find('{') == body.npos)
        learn(body);
}

std::string Scrubber::without_known(std::string_view text) const {
    std::string clean(text);
    for (const std::string& secret : secrets_)
        for (size_t at = clean.find(secret); at != clean.npos; at = clean.find(secret, at))
            clean.replace(at, secret.size(), redacted(secret.size()));
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
std::string Scrubber::scrubbed_arguments(std::string_view strings) const {
    std::string clean;
    while (!strings.empty()) {
        const std::string_view string = next_string(strings);
        clean += scrubbed(string);
        clean.push_back('\0');
    }
    return clean;
}

SharedCaller Scrubber::scrubbed(const SharedCaller& caller) const {
    if (!caller || !caller->process.event().image.argv.known())
        return caller;
    const Event& before = caller->process.event();
    const std::string argv = scrubbed_arguments(before.image.argv.bytes);
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

std::shared_ptr<const LineageNode> Scrubber::scrubbed(const std::shared_ptr<const LineageNode>& node) const {
    if (!node || !node->program || node->program->argv.empty())
        return node;
    std::string argv = scrubbed_arguments(node->program->argv);
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

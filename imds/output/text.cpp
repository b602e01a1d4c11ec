// SPDX-License-Identifier: MIT
#include "imds/output/formatter.hpp"
#include "telemetry/base/escape.hpp"
#include "telemetry/base/line_buffer.hpp"
#include "telemetry/output/network/address.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry::imds {
namespace {

constexpr std::string_view red = "\x1b[1;31m";
constexpr std::string_view yellow = "\x1b[1;33m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view plain = "\x1b[0m";
constexpr size_t short_container = 12; ///< digits, as container tools show them

using Ancestors = std::vector<std::shared_ptr<const LineageNode>>;

/// Time, version, class, method, URL, status and latency come first, without names; then fields as
/// name=value. Strings are quoted and escaped as in all text output: docs/output.md.
class TextFormatter final : public ImdsFormatter {
  public:
    explicit TextFormatter(const ImdsFormatOptions& options) : options_(options) {}

    void format(const ImdsEvent& event, std::string& out) override;

  private:
    void put_request(const ImdsEvent& event);
    void put_url(const ImdsEvent& event);
    void put_response(const ImdsEvent& event);
    void put_connection(const ImdsEvent& event);
    void put_who(const ImdsEvent& event);
    void put_chain(const Caller& caller, const Ancestors& ancestors);
    void put_remarks(const ImdsEvent& event);
    void put_stack(const CallStack& stack);
    void put_frame(const StackFrame& frame);
    void put_unsafe(const ImdsEvent& event);
    void put_end(std::string_view name, const Address& address);
    void put_latency(uint64_t latency_ns);

    void put_coloured(std::string_view colour, std::string_view text) {
        if (options_.colour && !colour.empty()) {
            line_.put(colour);
            line_.put(text);
            line_.put(plain);
        } else {
            line_.put(text);
        }
    }
    void put_quoted(std::string_view bytes) {
        line_.put('"');
        put_text_escaped(line_, bytes);
        line_.put('"');
    }
    void put_field(std::string_view name, std::string_view bytes) {
        if (bytes.empty())
            return;
        put_name(name);
        put_quoted(bytes);
    }
    void put_number(std::string_view name, uint64_t value) {
        put_name(name);
        line_.put_decimal(value);
    }
    void put_name(std::string_view name) {
        line_.put(' ');
        line_.put(name);
        line_.put('=');
    }

    ImdsFormatOptions options_;
    LineBuffer line_;
    Timestamp time_;
};

std::string_view version_colour(Version version) {
    return version == Version::v1 ? red : version == Version::v2 ? green : std::string_view();
}

std::string_view class_colour(RequestClass request_class) {
    return request_class == RequestClass::credentials ? yellow : std::string_view();
}

void TextFormatter::format(const ImdsEvent& event, std::string& out) {
    line_.clear();
    time_.put(line_, event.time_ns);
    line_.put(' ');
    if (event.kind == ImdsEvent::Kind::connection) {
        put_connection(event);
    } else {
        put_request(event);
        put_response(event);
    }
    put_who(event);
    put_remarks(event);
    if (event.caller)
        put_stack(event.caller->user_stack);
    if (options_.unsafe)
        put_unsafe(event);
    line_.put('\n');
    out.append(line_.view());
}

void TextFormatter::put_request(const ImdsEvent& event) {
    put_coloured(version_colour(event.version),
                 event.version == Version::none ? std::string_view("-") : version_name(event.version));
    line_.put(' ');
    put_coloured(class_colour(event.request_class), class_name(event.request_class));
    line_.put(' ');
    line_.put(provider_name(event.provider));
    line_.put(' ');
    if (!event.has_request) {
        line_.put("? ?");
        return;
    }
    put_text_escaped(line_, event.method.text());
    line_.put(' ');
    put_url(event);
}

void TextFormatter::put_url(const ImdsEvent& event) {
    Address address = remote_end(event.connection.ends);
    line_.put("\"http://");
    if (address.form == Address::Form::none) {
        put_text_escaped(line_, event.host.text());
    } else {
        const bool is_ipv6 = address.form == Address::Form::inet6;
        if (is_ipv6)
            line_.put('[');
        put_ip(line_, address);
        if (is_ipv6)
            line_.put(']');
        if (address.port != 80) {
            line_.put(':');
            line_.put_decimal(address.port);
        }
    }
    put_text_escaped(line_, event.path.text());
    if (event.has_query) {
        line_.put('?');
        put_text_escaped(line_, event.query.text());
    }
    line_.put('"');
}

void TextFormatter::put_response(const ImdsEvent& event) {
    line_.put(' ');
    if (event.has_response)
        line_.put_decimal(event.status);
    else
        line_.put('?');
    line_.put(' ');
    if (event.latency_ns)
        put_latency(*event.latency_ns);
    else
        line_.put('?');
}

/// "1.234ms"
void TextFormatter::put_latency(uint64_t latency_ns) {
    const uint64_t microseconds = latency_ns / 1000;
    line_.put_decimal(microseconds / 1000);
    line_.put('.');
    const uint64_t rest = microseconds % 1000;
    line_.put(static_cast<char>('0' + rest / 100));
    line_.put(static_cast<char>('0' + rest / 10 % 10));
    line_.put(static_cast<char>('0' + rest % 10));
    line_.put("ms");
}

void TextFormatter::put_connection(const ImdsEvent& event) {
    line_.put("? connection ");
    line_.put(provider_name(event.provider));
    line_.put(' ');
    line_.put(content_name(event.connection_content));
    put_end("to", remote_end(event.connection.ends));
    put_number("sent", event.sent);
    put_number("received", event.received);
}

void TextFormatter::put_end(std::string_view name, const Address& address) {
    if (address.form == Address::Form::none)
        return;
    put_name(name);
    line_.put('"');
    put_address(line_, address);
    line_.put('"');
}

void TextFormatter::put_who(const ImdsEvent& event) {
    if (!event.caller) {
        line_.put(" process=?");
        return;
    }
    const Caller& caller = *event.caller;
    const Event& process = caller.process.event();
    put_name("process");
    put_chain(caller, event.ancestors);
    put_number("pid", process.pid);
    if (process.tid != process.pid)
        put_number("tid", process.tid);
    if (process.image.exe.known())
        put_field("exe", process.image.exe.bytes);
    if (!(process.missing & EBT_MISSING_CREDENTIALS)) {
        put_number("uid", process.uid);
        if (options_.context.accounts)
            put_field("user", options_.context.accounts->names()->user(process.uid));
    }
    put_field("container", caller.facts.container.id.substr(0, short_container));
    put_field("runtime", caller.facts.container.runtime);
    if (event.reader) {
        put_name("reader");
        put_chain(*event.reader, {});
    }
}

/// "systemd[1] > bash[42] > curl[43]"
void TextFormatter::put_chain(const Caller& caller, const Ancestors& ancestors) {
    const auto put_one = [&](std::string_view comm, uint32_t pid) {
        put_text_escaped(line_, comm.empty() ? "?" : comm);
        line_.put('[');
        line_.put_decimal(pid);
        line_.put(']');
    };
    line_.put('"');
    for (auto ancestor = ancestors.rbegin(); ancestor != ancestors.rend(); ++ancestor) {
        put_one((*ancestor)->comm, (*ancestor)->key.pid);
        line_.put(" > ");
    }
    put_one(caller.process.event().comm, caller.process.event().pid);
    line_.put('"');
}

void TextFormatter::put_remarks(const ImdsEvent& event) {
    for (const BodyField& field : event.fields)
        put_field(field.name, field.value.text());
    put_field("user_agent", event.user_agent.text());
    put_field("server", event.server.text());
    if (event.request_body_bytes)
        put_number("request_bytes", event.request_body_bytes);
    if (event.has_response)
        put_number("bytes", event.response_body_bytes);
    if (event.has_forwarded)
        line_.put(" forwarded=yes");
    if (event.kind == ImdsEvent::Kind::request && event.end != Exchange::End::answered) {
        put_name("end");
        line_.put(end_name(event.end));
    }
    if (event.has_response && !event.is_response_complete)
        line_.put(" complete=no");
    if (event.is_body_packed)
        line_.put(" packed=yes");
    if (event.is_cut)
        line_.put(" cut=yes");
    if (event.is_uncertain)
        line_.put(" uncertain=yes");
    if (event.is_late)
        line_.put(" late=yes");
}

/// "libc.so.6!send+0x4d < client!main+0x99": each function was called by the next one. "<?" means that the
/// frame pointer was used.
void TextFormatter::put_stack(const CallStack& stack) {
    if (stack.frames.empty())
        return;
    put_name("user_stack");
    line_.put('"');
    for (const StackFrame& frame : stack.frames) {
        if (&frame != &stack.frames.front())
            line_.put(frame.is_guess ? std::string_view(" <? ") : std::string_view(" < "));
        put_frame(frame);
    }
    line_.put('"');
    if (stack.end == StackEnd::outermost)
        return;
    put_name("user_stack_end");
    line_.put(stack_end_name(stack.end));
}

void TextFormatter::put_frame(const StackFrame& frame) {
    const size_t folder = frame.module.rfind('/');
    put_text_escaped(line_,
                     std::string_view(frame.module).substr(folder == frame.module.npos ? 0 : folder + 1));
    if (!frame.symbol.empty()) {
        line_.put('!');
        put_text_escaped(line_, frame.symbol);
    }
    const uint64_t offset =
        !frame.symbol.empty() ? frame.symbol_offset : frame.module_offset.value_or(frame.address);
    if (!frame.module.empty())
        line_.put(frame.symbol.empty() && !frame.module_offset ? '@' : '+');
    line_.put("0x");
    line_.put_hex(offset);
    if (frame.is_too_costly)
        line_.put(" (too costly)");
}

void TextFormatter::put_unsafe(const ImdsEvent& event) {
    put_field("unsafe_target", options_.unsafe->open(event.target));
    put_field("unsafe_request_body", options_.unsafe->open(event.request_body));
    put_field("unsafe_response_body", options_.unsafe->open(event.response_body));
}

} // namespace

std::unique_ptr<ImdsFormatter> make_imds_text_formatter(const ImdsFormatOptions& options) {
    return std::make_unique<TextFormatter>(options);
}

} // namespace telemetry::imds

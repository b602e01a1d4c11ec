// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imds/judge/classify.hpp"
#include "imds/model/exchange.hpp"
#include "imds/model/secret.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry::imds {

/// Text that may be shown: on the allow-list, or with the secrets in it replaced by markers such
/// as "<redacted:123>", which tell their length. Its bytes are still a process's or a server's:
/// formatters escape them.
class Shown {
  public:
    Shown() = default;
    Shown(std::string text, const Clearance&) : text_(std::move(text)) {}

    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }
    bool operator==(const Shown&) const = default;

  private:
    std::string text_;
};

/// So many ancestors are told.
inline constexpr size_t told_ancestors = 10;

/// A field of a response's body that the allow-list has.
struct BodyField {
    std::string_view name; ///< as the output calls it: "access_key_id", ...
    Shown value;
};

/// A request to a metadata service and its response, or a connection without either. There is
/// nothing in it that must not be seen, but for what is a Secret.
struct ImdsEvent {
    enum class Kind : uint8_t { request, connection };

    Kind kind = Kind::request;
    uint64_t time_ns = 0;               ///< wall clock: of the request's first byte, else of what came first
    std::optional<uint64_t> latency_ns; ///< from the request's last byte to the response's first

    Link link;
    Provider provider = Provider::unknown;
    Version version = Version::unknown;
    RequestClass request_class = RequestClass::other;

    std::shared_ptr<const Caller> caller; ///< who asked; of an answer alone, who read it; may be null
    std::vector<std::shared_ptr<const LineageNode>> ancestors; ///< of the caller, nearest first
    std::shared_ptr<const Caller> reader; ///< who read the answer, if that is another process

    bool has_request = false;
    Shown method;
    Shown path;  ///< begins with a slash, as a rule
    Shown query; ///< without the question mark
    bool has_query = false;
    Shown host; ///< the header
    Shown user_agent;
    bool has_token = false;     ///< it carried a session's token
    bool has_forwarded = false; ///< X-Forwarded-For: it came through a proxy
    uint64_t request_body_bytes = 0;

    bool has_response = false;
    uint16_t status = 0;
    Shown server;
    Shown content_type;
    std::optional<uint64_t> content_length;
    uint64_t response_body_bytes = 0;
    uint64_t response_body_missing = 0; ///< moved, but not captured
    bool is_response_complete = false;
    std::vector<BodyField> fields;

    Exchange::End end = Exchange::End::answered;
    bool is_uncertain = false;
    bool is_late = false;
    bool is_cut = false; ///< heads were longer than what is kept

    // of a connection
    Contact::Why why = Contact::Why::no_bytes;
    uint64_t sent = 0, received = 0;

    Secret target; ///< of the request, as it was; for --unsafe
    Secret request_body;
    Secret response_body;
};

/// What --unsafe lets see. Only the option makes one.
class UnsafeView {
  public:
    static UnsafeView because_the_user_asked_for_it() { return {}; }
    std::string_view open(const Secret& secret) const { return secret.open(Clearance()); }

  private:
    UnsafeView() = default;
};

} // namespace telemetry::imds

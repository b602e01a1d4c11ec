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

/// Text that may be reported: it is on the allow-list, or the secrets in it are replaced by markers with
/// their length, such as "<redacted:123>". Its bytes still come from a process or a server, so formatters
/// escape them.
class PublicText {
  public:
    PublicText() = default;
    PublicText(std::string text, const SecretAccess&) : text_(std::move(text)) {}

    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }
    bool operator==(const PublicText&) const = default;

  private:
    std::string text_;
};

/// How many ancestors are reported.
inline constexpr size_t most_ancestors = 10;

/// A field of the response body that is on the allow-list.
struct BodyField {
    std::string_view name; ///< its name in the output: "access_key_id", ...
    PublicText value;
};

/// A request to a metadata service and its response, or a connection without either. Everything but the
/// Secrets may be reported.
struct ImdsEvent {
    enum class Kind : uint8_t { request, connection };

    Kind kind = Kind::request;
    uint64_t time_ns = 0;               ///< wall clock of the request's first byte, or of the first transfer
    std::optional<uint64_t> latency_ns; ///< from the request's last byte to the response's first

    Connection connection;
    Provider provider = Provider::unknown;
    Version version = Version::unknown;
    RequestClass request_class = RequestClass::other;

    SharedCaller caller; ///< who sent the request, or read a response without one; may be null
    std::vector<std::shared_ptr<const LineageNode>> ancestors; ///< of the caller, nearest first
    SharedCaller reader; ///< who read the response, if that is another process

    bool has_request = false;
    PublicText method;
    PublicText path;  ///< begins with a slash, as a rule
    PublicText query; ///< without the question mark
    bool has_query = false;
    PublicText host; ///< the header
    PublicText user_agent;
    bool has_token = false;     ///< it carried a session token
    bool has_forwarded = false; ///< X-Forwarded-For: it came through a proxy
    uint64_t request_body_bytes = 0;

    bool has_response = false;
    uint16_t status = 0;
    PublicText server;
    PublicText content_type;
    std::optional<uint64_t> content_length;
    uint64_t response_body_bytes = 0;
    uint64_t response_body_missing = 0; ///< moved, but not captured
    bool is_response_complete = false;
    std::vector<BodyField> fields;
    bool is_body_packed = false; ///< in a way that could not be undone: there may be fields in it

    Exchange::End end = Exchange::End::answered;
    bool is_uncertain = false;
    bool is_late = false;
    bool is_cut = false; ///< a head was longer than what is stored

    // only of a connection
    ConnectionReport::Content connection_content = ConnectionReport::Content::no_bytes;
    uint64_t sent = 0, received = 0;

    Secret target; ///< of the request, unredacted; for --unsafe
    Secret request_body;
    Secret response_body;
};

/// Gives access to secrets. Only the option --unsafe makes one.
class UnsafeView {
  public:
    static UnsafeView because_the_user_asked_for_it() { return {}; }
    std::string_view open(const Secret& secret) const { return secret.open(SecretAccess()); }

  private:
    UnsafeView() = default;
};

} // namespace telemetry::imds

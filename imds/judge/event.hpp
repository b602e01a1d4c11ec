// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imds/judge/classify.hpp"
#include "imds/model/caller.hpp"
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

/// Of the fields of response bodies that are on the allow-list, in the output.
inline constexpr std::array<std::string_view, 10> body_field_names = {
    "code",       "type",       "access_key_id", "last_updated", "expiration",
    "token_type", "expires_in", "expires_on",    "client_id",    "resource"};

/// Such a field.
struct BodyField {
    std::string_view name; ///< of body_field_names
    PublicText value;
};

/// What is known of a request to a metadata service and its response, or of a connection without either, but
/// for texts and processes.
struct ImdsFacts {
    enum class Kind : uint8_t { request, connection };

    Kind kind = Kind::request;
    uint64_t time_ns = 0;               ///< wall clock of the request's first byte, or of the first transfer
    std::optional<uint64_t> latency_ns; ///< from the request's last byte to the response's first

    Provider provider = Provider::unknown;
    Version version = Version::unknown;
    RequestClass request_class = RequestClass::other;

    bool has_request = false;
    bool has_query = false;
    bool has_token = false;     ///< it carried a session token
    bool has_forwarded = false; ///< X-Forwarded-For: it came through a proxy
    uint64_t request_body_bytes = 0;

    bool has_response = false;
    uint16_t status = 0;
    std::optional<uint64_t> content_length;
    uint64_t response_body_bytes = 0;
    uint64_t response_body_missing = 0; ///< moved, but not captured
    bool is_response_complete = false;
    bool is_body_packed = false; ///< in a way that could not be undone: there may be fields in it

    Exchange::End end = Exchange::End::answered;
    bool is_uncertain = false;
    bool is_late = false;
    bool is_cut = false; ///< a head was longer than what is stored

    // only of a connection
    ConnectionReport::Content connection_content = ConnectionReport::Content::no_bytes;
    uint64_t sent = 0, received = 0;
};

/// Everything but the Secrets may be reported.
struct ImdsEvent : ImdsFacts {
    Connection connection;

    SharedCaller caller; ///< who sent the request, or read a response without one; may be null
    std::vector<std::shared_ptr<const LineageNode>> ancestors; ///< of the caller, nearest first
    SharedCaller reader; ///< who read the response, if that is another process

    PublicText method;
    PublicText path;  ///< begins with a slash, as a rule
    PublicText query; ///< without the question mark
    PublicText host;  ///< the header
    PublicText user_agent;
    PublicText server;
    PublicText content_type;
    std::vector<BodyField> fields;

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

// SPDX-License-Identifier: MIT
#include "imds/helper/messages.hpp"

#include <type_traits>

namespace telemetry::imds {

namespace {

constexpr size_t longest_text = 8192, longest_value = 512, longest_secret = 64 * 1024;
constexpr size_t longest_bytes = 64 * 1024; ///< of a body, and of a request's target
constexpr size_t most_secrets = 96;

} // namespace

/// A part of a reading on its way: written to bytes, or taken off them. Once they make no sense, nothing more
/// is taken.
class ReadingPart {
  public:
    /// Writes.
    explicit ReadingPart(std::string& out) : out_(&out) {}
    /// Reads.
    explicit ReadingPart(std::string_view bytes) : bytes_(bytes) {}

    bool is_good() const { return is_good_; }
    std::string_view left() const { return bytes_; }

    template <class Number> void number(Number& value) {
        static_assert(std::is_unsigned_v<Number>);
        if (out_)
            return void(out_->append(packets::bytes_of(value)));
        const auto taken = is_good_ ? packets::take<Number>(bytes_) : std::nullopt;
        is_good_ = taken.has_value();
        value = taken.value_or(0);
    }
    template <class Choice> void choice(Choice& value, Choice last) {
        auto byte = static_cast<uint8_t>(value);
        number(byte);
        is_good_ &= byte <= static_cast<uint8_t>(last);
        value = is_good_ ? static_cast<Choice>(byte) : Choice{};
    }
    template <class... Flags> void flags(Flags&... values) {
        const auto flag = [this](bool& value) {
            auto byte = static_cast<uint8_t>(value);
            number(byte);
            is_good_ &= byte <= 1;
            value = byte == 1;
        };
        (flag(values), ...);
    }
    void maybe(std::optional<uint64_t>& value) {
        bool is_there = value.has_value();
        uint64_t plain = value.value_or(0);
        flags(is_there);
        number(plain);
        value = is_there ? std::optional(plain) : std::nullopt;
    }
    void secret(Secret& value, size_t longest) {
        auto size = static_cast<uint32_t>(value.size());
        number(size);
        if (out_)
            return void(out_->append(value.open(SecretAccess())));
        is_good_ &= size <= longest && size <= bytes_.size();
        if (!is_good_)
            return;
        value = Secret(std::string(bytes_.substr(0, size)));
        bytes_.remove_prefix(size);
    }
    template <class Item> void list(std::vector<Item>& items, size_t most, auto&& each) {
        auto count = static_cast<uint32_t>(items.size());
        number(count);
        is_good_ &= count <= most;
        if (!out_)
            items.resize(is_good_ ? count : 0);
        for (Item& item : items)
            each(item);
    }

  private:
    std::string* out_ = nullptr;
    std::string_view bytes_;
    bool is_good_ = true;
};

namespace {

void each_part(ReadingPart& part, Reading& reading) {
    part.choice(reading.kind, ImdsFacts::Kind::connection);
    part.number(reading.time_ns);
    part.maybe(reading.latency_ns);
    part.choice(reading.provider, Provider::vultr);
    part.choice(reading.version, Version::v2);
    part.choice(reading.request_class, RequestClass::other);
    part.flags(reading.has_request, reading.has_query, reading.has_token, reading.has_forwarded,
               reading.has_response, reading.is_response_complete, reading.is_body_packed,
               reading.is_uncertain, reading.is_late, reading.is_cut, reading.is_proved);
    part.number(reading.request_body_bytes);
    part.number(reading.status);
    part.maybe(reading.content_length);
    part.number(reading.response_body_bytes);
    part.number(reading.response_body_missing);
    part.choice(reading.end, Exchange::End::evicted);
    part.choice(reading.connection_content, ConnectionReport::Content::not_http);
    part.number(reading.sent);
    part.number(reading.received);
    part.number(reading.caller);
    part.number(reading.reader);
    for (Secret& text : reading.texts)
        part.secret(text, longest_text);
    part.list(reading.fields, body_field_names.size(), [&](Reading::Field& field) {
        part.choice(field.name, static_cast<uint8_t>(body_field_names.size() - 1));
        part.secret(field.value, longest_value);
    });
    part.list(reading.secrets, most_secrets, [&](Secret& secret) { part.secret(secret, longest_secret); });
    for (Secret* bytes : {&reading.target, &reading.request_body, &reading.response_body})
        part.secret(*bytes, longest_bytes);
}

} // namespace

namespace http_messages {

std::string packed(uint64_t connection, Reading& reading) {
    std::string bytes(1, static_cast<char>(Kind::reading));
    ReadingPart part(bytes);
    part.number(connection);
    each_part(part, reading);
    return bytes;
}

std::optional<ConnectionReading> take_reading(std::string_view& bytes) {
    ConnectionReading taken;
    ReadingPart part(bytes.substr(1));
    part.number(taken.connection);
    each_part(part, taken.reading);
    if (!part.is_good())
        return std::nullopt;
    bytes = part.left();
    return taken;
}

} // namespace http_messages
} // namespace telemetry::imds

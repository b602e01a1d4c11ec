// SPDX-License-Identifier: MIT
#include "telemetry/output/json/socket.hpp"

#include <algorithm>
#include <iterator>
#include <sys/socket.h>

namespace telemetry {
namespace {

using Form = Address::Form;

void put_family(JsonLine& line, uint16_t family) {
    static constexpr std::pair<uint16_t, std::string_view> names[] = {
        {AF_UNIX, "unix"},     {AF_INET, "inet"},   {AF_INET6, "inet6"}, {AF_NETLINK, "netlink"},
        {AF_PACKET, "packet"}, {AF_VSOCK, "vsock"}, {AF_ALG, "alg"},     {AF_BLUETOOTH, "bluetooth"},
    };
    const auto* found = std::ranges::find(names, family, &std::pair<uint16_t, std::string_view>::first);
    if (found == std::end(names))
        line.put_quoted_number(family);
    else
        line.put_quoted(found->second);
}

/// What `source` and `destination` cannot say of an address.
void put_address_form(JsonLine& line, const Address& address) {
    const auto put_name = [&](std::string_view name) {
        if (!line.wants(Field::linux_socket_name))
            return;
        line.key("\"name\":");
        line.put_quoted(name);
    };
    switch (address.form) {
    case Form::unix_path:
        return put_name("path");
    case Form::unix_abstract:
        return put_name("abstract");
    case Form::unix_unnamed:
        return put_name("unnamed");
    case Form::netlink:
    case Form::other:
    case Form::raw:
        if (!line.wants(Field::linux_socket_address))
            return;
        line.key("\"address\":\"");
        put_address(line, address); // digits and plain letters for these
        line.put('"');
        return;
    default:
        return;
    }
}

/// Of a call that sends to several, in the words of a text line.
void put_addresses(JsonLine& line, const Witnessed& witnessed) {
    line.key("\"addresses\":[");
    for (size_t i = 0; i < witnessed.addresses; ++i) {
        LineBuffer text;
        put_address(text, parse_sockaddr(witnessed.address[i].bytes));
        line.next();
        line.put_string({"linux.socket.addresses", static_cast<int>(i)}, text.view());
    }
    line.put(']');
}

void put_all_ends(JsonLine& line, const Witnessed& witnessed) {
    if (line.wants(Field::linux_socket_addresses)) {
        put_addresses(line, witnessed);
        line.notes.add({"linux.socket.addresses"}, witnessed.address[1]);
    }
    if (witnessed.address_count > witnessed.addresses && line.wants(Field::linux_socket_addresses_count)) {
        line.key("\"addresses_count\":");
        line.put_decimal(witnessed.address_count);
    }
}

} // namespace

void put_json_socket(JsonLine& line, const Event& event, const Ends& ends) {
    static constexpr std::string_view types[] = {"", "stream", "dgram", "raw", "rdm", "seqpacket", "dccp"};
    const bool has_socket = event.socket_status == Status::ok;
    if (!has_socket && ends.named.form == Form::none)
        return;
    const size_t begin = line.view().size();
    line.key("\"socket\":{");
    if (line.wants(Field::linux_socket_family)) {
        line.put("\"family\":");
        put_family(line, has_socket ? event.socket.family : ends.named.family);
    }
    if (has_socket && event.socket.type && event.socket.type < std::size(types) &&
        line.wants(Field::linux_socket_type)) {
        line.key("\"type\":");
        line.put_quoted(types[event.socket.type]);
    }
    put_address_form(line, ends.named);
    if (event.witnessed && event.witnessed->addresses > 1)
        put_all_ends(line, *event.witnessed);
    line.end_object(begin);
}

} // namespace telemetry

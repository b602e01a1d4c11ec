// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/transfers.hpp"

#include <ebpf_loader/unique_fd.hpp>

#include "loader/src/self_check/records.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebpf_loader::self_check {
namespace {

constexpr std::string_view sent = "ebpf_telemetry looks at itself";

/// A listener on the loopback network that takes nothing, and what connects to it.
class OwnConnection {
  public:
    OwnConnection()
        : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
          client_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address_);
        listens_ = !bind(listener_.get(), as_address(), sizeof(address_)) && !listen(listener_.get(), 1) &&
                   !getsockname(listener_.get(), as_address(), &length);
    }
    bool listens() const { return listens_; }
    ebt_endpoint endpoint() const {
        ebt_endpoint endpoint{};
        endpoint.address[10] = endpoint.address[11] = 0xff;
        memcpy(endpoint.address + 12, &address_.sin_addr, 4);
        endpoint.port = ntohs(address_.sin_port);
        return endpoint;
    }
    /// False where there is no loopback network.
    bool use() {
        return (!connect(client_.get(), as_address(), sizeof(address_)) || errno == EINPROGRESS) &&
               write(client_.get(), sent.data(), sent.size()) == static_cast<ssize_t>(sent.size());
    }

  private:
    sockaddr* as_address() { return reinterpret_cast<sockaddr*>(&address_); }

    UniqueFd listener_, client_;
    sockaddr_in address_{};
    bool listens_ = false;
};

/// 0: unknown on this kernel.
uint32_t own_netns(const Offsets& offsets) {
    struct stat info {};
    const bool is_known =
        offsets.get(*Offsets::find("sock.skc_net")) && offsets.get(*Offsets::find("net.inum"));
    return is_known && !stat("/proc/self/ns/net", &info) ? static_cast<uint32_t>(info.st_ino) : 0;
}

} // namespace

void check_transfers(LoadedTier& tier, RecordSource& source, const Offsets& offsets, Mismatches& mismatches) {
    OwnConnection connection;
    if (!connection.listens())
        return;
    const ebt_endpoint endpoint = connection.endpoint();
    Selection selection;
    selection.select_transfers({&endpoint, 1});
    tier.set_endpoints(selection.endpoints());
    tier.select(selection.plans(), selection.numbers());
    const bool used = connection.use();
    tier.select({}, {});
    tier.forget_endpoints(selection.endpoints());
    Records records;
    records.read(source);
    if (!used)
        return;
    const std::string fields = "socket.sk, sock.skc_daddr, sock.skc_dport (of a connection)";
    const auto view = records.find([](const ebt_header& h) {
        return h.kind == EBT_TRANSFER && h.ret == static_cast<int64_t>(sent.size());
    });
    const auto field = view ? view->find(EBT_FIELD_TRANSFER, 0) : std::nullopt;
    ebt_transfer transfer{};
    if (!field || field->content.size() < sizeof(transfer)) {
        mismatches.absent(fields, "what it sent was not seen");
        return;
    }
    memcpy(&transfer, field->content.data(), sizeof(transfer));
    mismatches.expect(fields, std::string(field->content.substr(sizeof(transfer))), std::string(sent));
    if (const uint32_t netns = own_netns(offsets))
        mismatches.expect("sock.skc_net, net.inum", transfer.netns, netns);
}

} // namespace ebpf_loader::self_check

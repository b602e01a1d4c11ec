// SPDX-License-Identifier: MIT
// Messages that carry descriptors from one process to another.
#include "test/kernel/cases/cases.hpp"
#include "test/kernel/cases/socket_support.hpp"

#include <cerrno>
#include <vector>

namespace kernel_test {

namespace {

constexpr size_t control_room = 4096;

/// A message of one byte with room for control messages.
struct Message {
    char byte = 'x';
    iovec text{&byte, 1};
    alignas(cmsghdr) char control[control_room] = {};
    size_t used = 0;

    void add(int level, int type, const void* content, size_t size) {
        cmsghdr head{};
        head.cmsg_len = CMSG_LEN(size);
        head.cmsg_level = level;
        head.cmsg_type = type;
        memcpy(control + used, &head, sizeof head);
        memcpy(control + used + CMSG_LEN(0), content, size);
        used += CMSG_SPACE(size);
    }
    void pass(const std::vector<int32_t>& fds) {
        add(SOL_SOCKET, SCM_RIGHTS, fds.data(), fds.size() * sizeof(int32_t));
    }
    msghdr head() {
        msghdr head{};
        head.msg_iov = &text;
        head.msg_iovlen = 1;
        head.msg_control = used ? control : nullptr;
        head.msg_controllen = used;
        return head;
    }
};

/// The descriptors that a message, once received, has brought.
std::vector<int32_t> received_fds(const msghdr& head) {
    std::vector<int32_t> fds;
    for (cmsghdr* at = CMSG_FIRSTHDR(&head); at; at = CMSG_NXTHDR(const_cast<msghdr*>(&head), at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        fds.resize(fds.size() + (at->cmsg_len - CMSG_LEN(0)) / sizeof(int32_t));
        memcpy(fds.data(), CMSG_DATA(at), at->cmsg_len - CMSG_LEN(0));
    }
    return fds;
}

struct Pair {
    int fd[2] = {-1, -1};
};

Pair new_pair(Process& p) {
    Pair pair;
    p.call({"socketpair", SYS_socketpair}, AF_UNIX, SOCK_STREAM, 0, pair.fd).succeeds();
    return pair;
}

void receive(Process& p, const Pair& pair, size_t descriptors) {
    Message message;
    message.used = control_room;
    msghdr head = message.head();
    Call call = p.call({"recvmsg", SYS_recvmsg}, pair.fd[1], &head, 0);
    call.succeeds().socket(pair.fd[1]);
    const std::vector<int32_t> fds = received_fds(head);
    p.require(fds.size() == descriptors, "as many descriptors as were sent");
    if (!fds.empty())
        call.passed(fds);
}

/// Descriptors over a socket, from one message to another.
void passed_descriptors(Process& p) {
    const Pair pair = new_pair(p);
    const int file = p.make_file("passed");
    const auto send = [&](const msghdr& head) {
        Call call = p.call({"sendmsg", SYS_sendmsg}, pair.fd[0], &head, 0);
        call.socket(pair.fd[0]);
        return call;
    };
    Message two, none, cut;
    two.pass({file, 0});
    send(two.head()).succeeds().passed({file, 0});
    receive(p, pair, 2);
    send(none.head()).succeeds();
    receive(p, pair, 0);
    Message many;
    many.pass(std::vector<int32_t>(253, file));
    send(many.head()).succeeds().passed(std::vector<int32_t>(253, file));
    receive(p, pair, 253);
    // The kernel looks at none that is of another level.
    cut.pass({file});
    const char padding[2500] = {};
    cut.add(SOL_IP, 0, padding, sizeof padding);
    cut.pass({file});
    send(cut.head()).succeeds().passed({file}, LOG_TRUNCATED, static_cast<uint32_t>(cut.used));
    receive(p, pair, 2);
    msghdr head = two.head();
    two.pass({500});
    send(two.head()).fails(EBADF).passed({file, 0, 500});
    head.msg_control = reinterpret_cast<void*>(16);
    send(head).fails(EFAULT).passed({}, LOG_FAULT);
    p.call({"sendmsg", SYS_sendmsg}, pair.fd[0], 16, 0)
        .fails(EFAULT)
        .no_address(1, LOG_FAULT)
        .passed({}, LOG_FAULT)
        .socket(pair.fd[0]);
}

/// sendmmsg and recvmmsg: all that their messages carry.
void passed_by_several(Process& p) {
    const Pair pair = new_pair(p);
    const int file = p.make_file("passed");
    std::vector<Message> messages(10);
    std::vector<mmsghdr> heads(messages.size());
    for (const bool sends : {true, false}) {
        std::vector<int32_t> fds;
        for (size_t i = 0; i < messages.size(); i++) {
            messages[i].used = sends ? 0 : CMSG_SPACE(2 * sizeof(int32_t));
            if (sends && i != 1)
                messages[i].pass({file, static_cast<int32_t>(i % 3)});
            heads[i].msg_hdr = messages[i].head();
        }
        const int end = pair.fd[sends ? 0 : 1];
        const CallName name = sends ? CallName("sendmmsg", SYS_sendmmsg) : CallName("recvmmsg", SYS_recvmmsg);
        Call call = p.call(name, end, heads.data(), heads.size(), MSG_DONTWAIT, 0);
        call.succeeds().socket(end);
        p.require(call.ret() == static_cast<long>(heads.size()), "all messages go");
        for (size_t i = 0; i < 8; i++) // the first eight are looked at
            for (const int32_t fd : received_fds(heads[i].msg_hdr))
                fds.push_back(fd);
        // What those beyond have is not known; the length is that of the first message's.
        call.passed(fds, LOG_TRUNCATED, CMSG_LEN(2 * sizeof(int32_t)), LOG_AT_LEAST);
    }
}

/// Sockets of other families ignore such a message.
void passed_to_nobody(Process& p) {
    private_network(p);
    Address address = inet(4246);
    const long fd = new_socket(p, AF_INET, SOCK_DGRAM);
    Message message;
    message.pass({0});
    msghdr head = message.head();
    head.msg_name = address.get();
    head.msg_namelen = address.length;
    p.call({"sendmsg", SYS_sendmsg}, fd, &head, 0)
        .succeeds()
        .address(1, address.get(), address.length)
        .socket(fd);
}

} // namespace

Cases message_cases() {
    return {
        {"passed_descriptors", passed_descriptors},
        {"passed_by_several", passed_by_several},
        {"passed_to_nobody", passed_to_nobody},
    };
}

} // namespace kernel_test

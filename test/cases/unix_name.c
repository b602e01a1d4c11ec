/* SPDX-License-Identifier: MIT */
/* Servers on Unix sockets, whose events had no address. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void serve(const char* name, size_t length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, length);
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    const int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(server, (struct sockaddr*)&address, size);
    memset(address.sun_path, 'x', length);
    listen(server, 5);
    memcpy(address.sun_path, name, length);
    connect(client, (struct sockaddr*)&address, size);
    accept4(server, NULL, NULL, 0);
    close(server);
}

int main(void) {
    unlink("/tmp/case unix_name");
    serve("/tmp/case unix_name", strlen("/tmp/case unix_name"));
    unlink("/tmp/case unix_name");
    serve("\0case \n unix_name", sizeof("\0case \n unix_name") - 1);
    return 0;
}

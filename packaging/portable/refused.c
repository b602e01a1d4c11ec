/* SPDX-License-Identifier: MIT */
/*
 * Linked into the portable programs in place of the C library's functions of these names, which would load
 * shared libraries of the host while the program runs: another glibc's, or none. Libraries that are linked in
 * refer to them (OpenSSL for its engines and its own sockets, libdwfl for debuginfod, c-ares for names of
 * ports) and do without what they refuse. Hosts' names are resolved by c-ares, users' names read from files.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>

void* dlopen(const char* file, int mode) {
    (void)file, (void)mode;
    return NULL;
}

void* dlsym(void* handle, const char* name) {
    (void)handle, (void)name;
    return NULL;
}

int dlclose(void* handle) {
    (void)handle;
    return -1;
}

char* dlerror(void) {
    static char message[] = "this program is static and loads no libraries";
    return message;
}

int dladdr(const void* address, Dl_info* info) {
    (void)address, (void)info;
    return 0;
}

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                struct addrinfo** result) {
    (void)node, (void)service, (void)hints, (void)result;
    return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo* result) {
    (void)result;
}

const char* gai_strerror(int error) {
    (void)error;
    return "this program resolves no names in this way";
}

int getnameinfo(const struct sockaddr* address, socklen_t length, char* host, socklen_t host_size,
                char* service, socklen_t service_size, int flags) {
    (void)address, (void)length, (void)host, (void)host_size, (void)service, (void)service_size, (void)flags;
    return EAI_FAIL;
}

struct hostent* gethostbyname(const char* name) {
    (void)name;
    h_errno = NO_RECOVERY;
    return NULL;
}

struct servent* getservbyname(const char* name, const char* protocol) {
    (void)name, (void)protocol;
    return NULL;
}

int getservbyname_r(const char* name, const char* protocol, struct servent* entry, char* buffer, size_t size,
                    struct servent** result) {
    (void)name, (void)protocol, (void)entry, (void)buffer, (void)size;
    *result = NULL;
    return ENOENT;
}

int getservbyport_r(int port, const char* protocol, struct servent* entry, char* buffer, size_t size,
                    struct servent** result) {
    (void)port, (void)protocol, (void)entry, (void)buffer, (void)size;
    *result = NULL;
    return ENOENT;
}

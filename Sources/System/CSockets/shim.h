// Linux's batched datagram calls for Swift. _GNU_SOURCE is not defined here: it would change types that other modules have seen without it, so
// the batched calls, which glibc declares only with it, are made by number with a structure of the same layout. Nothing else is C.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/// As `struct mmsghdr` of <sys/socket.h>.
struct nc_mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};

static inline int nc_recvmmsg(int descriptor, struct nc_mmsghdr *headers, unsigned int count, int flags) {
    return (int)syscall(SYS_recvmmsg, descriptor, headers, count, flags, (void *)0);
}
static inline int nc_sendmmsg(int descriptor, struct nc_mmsghdr *headers, unsigned int count, int flags) {
    return (int)syscall(SYS_sendmmsg, descriptor, headers, count, flags);
}

/// The calling thread's nice value: on Linux a thread has its own. Nothing happens where that is not allowed.
static inline void nc_set_thread_nice(int value) { (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value); }

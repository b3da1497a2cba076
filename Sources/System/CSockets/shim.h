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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
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

/// Room for one control message that says when a datagram came in (socket(7), SO_TIMESTAMPNS).
struct nc_time_control {
    struct cmsghdr header;
    struct timespec time;
};

/// SO_TIMESTAMPNS, which is SCM_TIMESTAMPNS too, where a `long` has 64 bits.
#define NC_TIMESTAMPNS 35

/// Asks for the time of arrival of each datagram.
static inline void nc_set_timestamps(int descriptor) {
    int one = 1;
    (void)setsockopt(descriptor, SOL_SOCKET, NC_TIMESTAMPNS, &one, sizeof one);
}
static inline void nc_expect_time(struct nc_mmsghdr *message, struct nc_time_control *control) {
    message->msg_hdr.msg_control = control;
    message->msg_hdr.msg_controllen = sizeof *control;
}
/// Nanoseconds of CLOCK_REALTIME when the datagram came in; 0 where the kernel does not say.
static inline long long nc_arrival(const struct nc_mmsghdr *message, const struct nc_time_control *control) {
    if (message->msg_hdr.msg_controllen < sizeof *control || control->header.cmsg_type != NC_TIMESTAMPNS) return 0;
    return (long long)control->time.tv_sec * 1000000000LL + control->time.tv_nsec;
}

/// The calling thread's nice value: on Linux a thread has its own. Nothing happens where that is not allowed.
static inline void nc_set_thread_nice(int value) { (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value); }

/// The calling thread's name, of which the kernel keeps 15 bytes.
static inline void nc_set_thread_name(const char *name) { (void)prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Room for one control message that carries the size of segments (udp(7), UDP_SEGMENT).
struct nc_segment_control {
    struct cmsghdr header;
    unsigned short size;
    unsigned char rest[6];
};

#define NC_SOL_UDP 17
#define NC_UDP_SEGMENT 103

/// Whether the kernel cuts long datagrams into segments; 1 where it does.
static inline int nc_can_segment(int descriptor) {
    int size = 0;
    socklen_t length = sizeof size;
    return getsockopt(descriptor, NC_SOL_UDP, NC_UDP_SEGMENT, &size, &length) == 0;
}
/// Has `message` cut into datagrams of `size` bytes.
static inline void nc_set_segment(struct nc_mmsghdr *message, struct nc_segment_control *control, unsigned short size) {
    control->header.cmsg_level = NC_SOL_UDP;
    control->header.cmsg_type = NC_UDP_SEGMENT;
    control->header.cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(&control->header), &size, sizeof size);
    message->msg_hdr.msg_control = control;
    message->msg_hdr.msg_controllen = CMSG_SPACE(sizeof size);
}
/// The size of segments; 0 where the message is one datagram.
static inline unsigned short nc_segment(const struct nc_mmsghdr *message, const struct nc_segment_control *control) {
    return message->msg_hdr.msg_controllen > 0 ? control->size : 0;
}

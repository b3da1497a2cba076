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

/// As `struct in6_pktinfo` and `struct in_pktinfo` of <netinet/in.h> (ipv6(7), ip(7)), which glibc shows only with _GNU_SOURCE.
struct nc_in6_pktinfo {
    unsigned char address[16];
    unsigned int interface;
};
struct nc_in_pktinfo {
    int interface;
    unsigned int local;
    unsigned int destination;
};
#define NC_IPV6_RECVPKTINFO 49
#define NC_IPV6_PKTINFO 50
#define NC_IP_PKTINFO 8

/// Room for the control messages that come with a datagram: when it came in (socket(7), SO_TIMESTAMPNS), and to which address of this machine.
struct nc_receive_control {
    _Alignas(8) unsigned char bytes[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(struct nc_in6_pktinfo))];
};
/// What they said.
struct nc_received {
    /// Nanoseconds of CLOCK_REALTIME; 0 where the kernel does not say.
    long long time;
    /// The address that the sender wrote to, IPv4 in its mapped form; not `is_known` where the kernel does not say.
    unsigned char local[16];
    int is_known;
};

/// SO_TIMESTAMPNS, which is SCM_TIMESTAMPNS too, where a `long` has 64 bits.
#define NC_TIMESTAMPNS 35

/// Asks for the time of arrival of each datagram.
static inline void nc_set_timestamps(int descriptor) {
    int one = 1;
    (void)setsockopt(descriptor, SOL_SOCKET, NC_TIMESTAMPNS, &one, sizeof one);
}
/// Asks for the local address of each datagram; `family` is the socket's. An IPv6 socket says it of mapped IPv4 too.
static inline void nc_set_packet_information(int descriptor, int family) {
    int one = 1;
    if (family == AF_INET6) (void)setsockopt(descriptor, IPPROTO_IPV6, NC_IPV6_RECVPKTINFO, &one, sizeof one);
    else (void)setsockopt(descriptor, IPPROTO_IP, NC_IP_PKTINFO, &one, sizeof one);
}
static inline void nc_expect_control(struct nc_mmsghdr *message, struct nc_receive_control *control) {
    message->msg_hdr.msg_control = control;
    message->msg_hdr.msg_controllen = sizeof *control;
}
/// Reads the control messages of a datagram that came in.
static inline struct nc_received nc_read_control(struct nc_mmsghdr *message) {
    struct nc_received received = {0};
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message->msg_hdr); at; at = CMSG_NXTHDR(&message->msg_hdr, at)) {
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == NC_TIMESTAMPNS && at->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(at), sizeof time);
            received.time = (long long)time.tv_sec * 1000000000LL + time.tv_nsec;
        } else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == NC_IPV6_PKTINFO && at->cmsg_len >= CMSG_LEN(sizeof(struct nc_in6_pktinfo))) {
            memcpy(received.local, CMSG_DATA(at), 16);
            received.is_known = 1;
        } else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == NC_IP_PKTINFO && at->cmsg_len >= CMSG_LEN(sizeof(struct nc_in_pktinfo))) {
            struct nc_in_pktinfo information;
            memcpy(&information, CMSG_DATA(at), sizeof information);
            received.local[10] = received.local[11] = 0xff;
            memcpy(received.local + 12, &information.destination, 4);
            received.is_known = 1;
        }
    }
    return received;
}

/// The calling thread's nice value: on Linux a thread has its own. Nothing happens where that is not allowed.
static inline void nc_set_thread_nice(int value) { (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value); }

/// The calling thread's name, of which the kernel keeps 15 bytes.
static inline void nc_set_thread_name(const char *name) { (void)prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Room for the control messages of what leaves: from which address of this machine, and the size of segments (udp(7), UDP_SEGMENT).
struct nc_send_control {
    _Alignas(8) unsigned char bytes[CMSG_SPACE(sizeof(struct nc_in6_pktinfo)) + CMSG_SPACE(sizeof(unsigned short))];
    /// Bytes of the first of them, without what aligns the next; 0 where the kernel chooses the address.
    unsigned int from_length;
    /// 0 where the message is one datagram.
    unsigned short segment;
};

#define NC_SOL_UDP 17
#define NC_UDP_SEGMENT 103

/// Whether the kernel cuts long datagrams into segments; 1 where it does.
static inline int nc_can_segment(int descriptor) {
    int size = 0;
    socklen_t length = sizeof size;
    return getsockopt(descriptor, NC_SOL_UDP, NC_UDP_SEGMENT, &size, &length) == 0;
}
/// Begins a message without segments.
/// `local` is the address of 16 bytes that it leaves from, IPv4 in its mapped form; null where the kernel chooses. `family` is the socket's.
static inline void nc_begin_control(struct nc_mmsghdr *message, struct nc_send_control *control, const unsigned char *local, int family) {
    control->segment = 0;
    control->from_length = 0;
    if (local) {
        struct cmsghdr *header = (struct cmsghdr *)control->bytes;
        if (family == AF_INET6) {
            struct nc_in6_pktinfo information = {.interface = 0};
            memcpy(information.address, local, 16);
            header->cmsg_level = IPPROTO_IPV6;
            header->cmsg_type = NC_IPV6_PKTINFO;
            header->cmsg_len = CMSG_LEN(sizeof information);
            memcpy(CMSG_DATA(header), &information, sizeof information);
            control->from_length = header->cmsg_len;
        } else {
            struct nc_in_pktinfo information = {0};
            memcpy(&information.local, local + 12, 4);
            header->cmsg_level = IPPROTO_IP;
            header->cmsg_type = NC_IP_PKTINFO;
            header->cmsg_len = CMSG_LEN(sizeof information);
            memcpy(CMSG_DATA(header), &information, sizeof information);
            control->from_length = header->cmsg_len;
        }
    }
    message->msg_hdr.msg_control = control->from_length ? control->bytes : 0;
    // Not the space: the kernel has 36 bytes at hand, the length of an in6_pktinfo, and allocates for more; that is a tenth of what a datagram costs.
    message->msg_hdr.msg_controllen = control->from_length;
}
/// Has `message` cut into datagrams of `size` bytes; 0 takes that back.
static inline void nc_set_segment(struct nc_mmsghdr *message, struct nc_send_control *control, unsigned short size) {
    control->segment = size;
    if (size) {
        struct cmsghdr *header = (struct cmsghdr *)(control->bytes + CMSG_ALIGN(control->from_length));
        header->cmsg_level = NC_SOL_UDP;
        header->cmsg_type = NC_UDP_SEGMENT;
        header->cmsg_len = CMSG_LEN(sizeof size);
        memcpy(CMSG_DATA(header), &size, sizeof size);
    }
    message->msg_hdr.msg_controllen = size ? CMSG_ALIGN(control->from_length) + CMSG_LEN(sizeof size) : control->from_length;
    message->msg_hdr.msg_control = message->msg_hdr.msg_controllen ? control->bytes : 0;
}

// Linux's batched datagram calls for Swift: feature-gated declarations and the control-message macros. Nothing else is C.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <string.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/// The calling thread's nice value: on Linux a thread has its own. Nothing happens where that is not allowed.
static inline void nc_set_thread_nice(int value) { (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value); }

#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_LISTENERS 1000
#define MOST_TOGETHER 8
#define BATCH 64

struct listener {
    int socket;
    struct sockaddr_in name;
    EVP_CIPHER_CTX *context;
};

struct ears {
    int poll, finished;
};

/// Takes everything off the sockets, asleep where there is nothing: a listener that waits costs the sender its waking.
static void *listen_to_all(void *argument) {
    struct ears *ears = argument;
    unsigned char data[2048];
    struct epoll_event events[BATCH];
    while (!__atomic_load_n(&ears->finished, __ATOMIC_ACQUIRE)) {
        int ready = epoll_wait(ears->poll, events, BATCH, 20);
        for (int i = 0; i < ready; i++) {
            while (recv(events[i].data.fd, data, sizeof data, MSG_DONTWAIT) > 0) {}
        }
    }
    return NULL;
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int seal(EVP_CIPHER_CTX *context, unsigned char *packet, const unsigned char *plain, int size, unsigned counter) {
    unsigned char vector[12] = {0};
    int length = 0;
    memcpy(vector, &counter, sizeof counter);
    memcpy(packet, plain, (size_t)size - 16);
    return EVP_EncryptInit_ex(context, NULL, NULL, NULL, vector) == 1
        && EVP_EncryptUpdate(context, NULL, &length, packet, 20) == 1
        && EVP_EncryptUpdate(context, packet + 20, &length, packet + 20, size - 36) == 1
        && EVP_EncryptFinal_ex(context, packet + 20 + length, &length) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, packet + size - 16) == 1;
}

double floor_listeners(int count, int size, int together, int beats, double interval) {
    if (count < 1 || count > MOST_LISTENERS || together < 1 || together > MOST_TOGETHER || size < 64 || size > 1500) return -1;
    struct listener *listeners = calloc((size_t)count, sizeof *listeners);
    unsigned char *room = calloc(BATCH, (size_t)(size * together)), plain[1500] = {7};
    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    union {
        char room[CMSG_SPACE(sizeof(unsigned short))];
        struct cmsghdr align;
    } controls[BATCH];
    struct ears ears = {epoll_create1(0), 0};
    int sender = socket(AF_INET, SOCK_DGRAM, 0), wide = 4 << 20;
    setsockopt(sender, SOL_SOCKET, SO_SNDBUF, &wide, sizeof wide);
    double passed = -1;
    int made = 0;
    pthread_t thread;
    if (!listeners || !room || ears.poll < 0 || sender < 0) goto end;
    for (; made < count; made++) {
        struct listener *one = &listeners[made];
        unsigned char key[16] = {1, (unsigned char)made, (unsigned char)(made >> 8)}, vector[12] = {0};
        socklen_t length = sizeof one->name;
        one->name.sin_family = AF_INET;
        one->name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        one->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(one->socket, SOL_SOCKET, SO_RCVBUF, &wide, sizeof wide);
        one->context = EVP_CIPHER_CTX_new();
        struct epoll_event event = {.events = EPOLLIN, .data.fd = one->socket};
        if (one->socket < 0 || !one->context || bind(one->socket, (struct sockaddr *)&one->name, sizeof one->name) != 0
            || getsockname(one->socket, (struct sockaddr *)&one->name, &length) != 0
            || epoll_ctl(ears.poll, EPOLL_CTL_ADD, one->socket, &event) != 0
            || EVP_EncryptInit_ex(one->context, EVP_aes_128_gcm(), NULL, key, vector) != 1) {
            made++;
            goto end;
        }
    }
    if (pthread_create(&thread, NULL, listen_to_all, &ears) != 0) goto end;
    long sent = 0;
    unsigned counter = 0;
    passed = 0;
    double start = seconds(CLOCK_MONOTONIC);
    for (int beat = 0; beat < beats; beat++) {
        double before = seconds(CLOCK_THREAD_CPUTIME_ID);
        for (int first = 0; first < count; first += BATCH) {
            int batch = count - first < BATCH ? count - first : BATCH;
            memset(headers, 0, sizeof headers);
            for (int i = 0; i < batch; i++) {
                struct listener *one = &listeners[first + i];
                unsigned char *data = room + (size_t)(i * size * together);
                for (int k = 0; k < together; k++) seal(one->context, data + k * size, plain, size, counter++);
                struct msghdr *header = &headers[i].msg_hdr;
                vectors[i] = (struct iovec){data, (size_t)(size * together)};
                header->msg_iov = &vectors[i];
                header->msg_iovlen = 1;
                header->msg_name = &one->name;
                header->msg_namelen = sizeof one->name;
                if (together == 1) continue;
                controls[i].align.cmsg_level = IPPROTO_UDP;
                controls[i].align.cmsg_type = UDP_SEGMENT;
                controls[i].align.cmsg_len = CMSG_LEN(sizeof(unsigned short));
                *(unsigned short *)CMSG_DATA(&controls[i].align) = (unsigned short)size;
                header->msg_control = &controls[i];
                header->msg_controllen = sizeof controls[i].room;
            }
            int taken = sendmmsg(sender, headers, (unsigned)batch, 0);
            if (taken > 0) sent += (long)taken * together;
        }
        passed += seconds(CLOCK_THREAD_CPUTIME_ID) - before;
        double wait = start + (beat + 1) * interval - seconds(CLOCK_MONOTONIC);
        if (wait > 0) usleep((useconds_t)(wait * 1e6));
    }
    __atomic_store_n(&ears.finished, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    passed = sent > 0 ? passed / (double)sent : -1;
end:
    for (int i = 0; i < made; i++) {
        if (listeners[i].socket >= 0) close(listeners[i].socket);
        EVP_CIPHER_CTX_free(listeners[i].context);
    }
    if (sender >= 0) close(sender);
    if (ears.poll >= 0) close(ears.poll);
    free(listeners);
    free(room);
    return passed;
}

#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MESSAGES 64
#define RECEIVERS 64

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double floor_seal(int size, int packets) {
    unsigned char key[16] = {1}, vector[12] = {2}, data[2048] = {0}, tag[16];
    if (size > 1500) return -1;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context || EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, vector) != 1) return -1;
    double start = cpu_seconds();
    for (int i = 0; i < packets; i++) {
        int length = 0;
        vector[0] = (unsigned char)i;
        EVP_EncryptInit_ex(context, NULL, NULL, NULL, vector);
        EVP_EncryptUpdate(context, NULL, &length, data, 12);
        EVP_EncryptUpdate(context, data + 12, &length, data + 12, size - 12);
        EVP_EncryptFinal_ex(context, data + 12 + length, &length);
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag);
    }
    double passed = cpu_seconds() - start;
    EVP_CIPHER_CTX_free(context);
    return passed / packets;
}

static int bound_socket(unsigned short port, struct sockaddr_in *name) {
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (made < 0) return -1;
    memset(name, 0, sizeof *name);
    name->sin_family = AF_INET;
    name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name->sin_port = htons(port);
    int room = 4 << 20;
    setsockopt(made, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(made, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    socklen_t length = sizeof *name;
    if (bind(made, (struct sockaddr *)name, sizeof *name) != 0 || getsockname(made, (struct sockaddr *)name, &length) != 0) {
        close(made);
        return -1;
    }
    return made;
}

static void drain(int socket) {
    unsigned char data[2048];
    while (recv(socket, data, sizeof data, MSG_DONTWAIT) > 0) {}
}

/// Messages of `together` datagrams each to `RECEIVERS` sockets in turn.
struct flight {
    int sender;
    int sockets[RECEIVERS];
    struct sockaddr_in names[RECEIVERS];
    struct mmsghdr headers[MESSAGES];
    struct iovec vectors[MESSAGES];
    union {
        char room[CMSG_SPACE(sizeof(unsigned short))];
        struct cmsghdr align;
    } controls[MESSAGES];
};

static int prepare(struct flight *flight, int size, int together) {
    static unsigned char data[65536];
    struct sockaddr_in own;
    if (size * together > 65000 || together < 1) return -1;
    memset(flight, 0, sizeof *flight);
    flight->sender = bound_socket(0, &own);
    for (int i = 0; i < RECEIVERS; i++) flight->sockets[i] = bound_socket(0, &flight->names[i]);
    for (int i = 0; i < MESSAGES; i++) {
        struct msghdr *header = &flight->headers[i].msg_hdr;
        flight->vectors[i] = (struct iovec){data, (size_t)(size * together)};
        header->msg_iov = &flight->vectors[i];
        header->msg_iovlen = 1;
        header->msg_name = &flight->names[i % RECEIVERS];
        header->msg_namelen = sizeof flight->names[0];
        if (together == 1) continue;
        flight->controls[i].align.cmsg_level = IPPROTO_UDP;
        flight->controls[i].align.cmsg_type = UDP_SEGMENT;
        flight->controls[i].align.cmsg_len = CMSG_LEN(sizeof(unsigned short));
        *(unsigned short *)CMSG_DATA(&flight->controls[i].align) = (unsigned short)size;
        header->msg_control = &flight->controls[i];
        header->msg_controllen = sizeof flight->controls[i].room;
    }
    return 0;
}

static void land(struct flight *flight) {
    close(flight->sender);
    for (int i = 0; i < RECEIVERS; i++) close(flight->sockets[i]);
}

double floor_send(int size, int together, int packets) {
    static struct flight flight;
    if (prepare(&flight, size, together) != 0) return -1;
    double passed = 0;
    long sent = 0;
    while (sent < packets) {
        double start = cpu_seconds();
        int taken = sendmmsg(flight.sender, flight.headers, MESSAGES, 0);
        passed += cpu_seconds() - start;
        if (taken <= 0) break;
        sent += (long)taken * together;
        for (int i = 0; i < RECEIVERS; i++) drain(flight.sockets[i]);
    }
    land(&flight);
    return sent > 0 ? passed / (double)sent : -1;
}

double floor_send_ring(int size, int together, int packets) {
    static struct flight flight;
    struct io_uring_params setup;
    memset(&setup, 0, sizeof setup);
    int ring = (int)syscall(SYS_io_uring_setup, MESSAGES, &setup);
    if (ring < 0) return -1;
    size_t queue_size = setup.sq_off.array + setup.sq_entries * sizeof(unsigned);
    size_t done_size = setup.cq_off.cqes + setup.cq_entries * sizeof(struct io_uring_cqe);
    size_t entries_size = setup.sq_entries * sizeof(struct io_uring_sqe);
    unsigned char *queue = mmap(NULL, queue_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    unsigned char *done = mmap(NULL, done_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *entries = mmap(NULL, entries_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    if (queue == MAP_FAILED || done == MAP_FAILED || entries == MAP_FAILED || prepare(&flight, size, together) != 0) {
        close(ring);
        return -1;
    }
    unsigned *tail = (unsigned *)(queue + setup.sq_off.tail), mask = *(unsigned *)(queue + setup.sq_off.ring_mask);
    unsigned *array = (unsigned *)(queue + setup.sq_off.array);
    unsigned *done_head = (unsigned *)(done + setup.cq_off.head), *done_tail = (unsigned *)(done + setup.cq_off.tail);
    unsigned done_mask = *(unsigned *)(done + setup.cq_off.ring_mask);
    struct io_uring_cqe *results = (struct io_uring_cqe *)(done + setup.cq_off.cqes);
    double passed = 0;
    long sent = 0;
    while (sent < packets) {
        double start = cpu_seconds();
        unsigned at = *tail;
        for (int i = 0; i < MESSAGES; i++, at++) {
            struct io_uring_sqe *entry = &entries[at & mask];
            memset(entry, 0, sizeof *entry);
            entry->opcode = IORING_OP_SENDMSG;
            entry->fd = flight.sender;
            entry->addr = (unsigned long)&flight.headers[i].msg_hdr;
            entry->len = 1;
            array[at & mask] = at & mask;
        }
        __atomic_store_n(tail, at, __ATOMIC_RELEASE);
        if (syscall(SYS_io_uring_enter, ring, MESSAGES, MESSAGES, IORING_ENTER_GETEVENTS, NULL, 0) < 0) break;
        unsigned head = *done_head, last = __atomic_load_n(done_tail, __ATOMIC_ACQUIRE);
        int taken = 0;
        for (; head != last; head++) taken += results[head & done_mask].res > 0;
        __atomic_store_n(done_head, head, __ATOMIC_RELEASE);
        passed += cpu_seconds() - start;
        if (taken == 0) break;
        sent += (long)taken * together;
        for (int i = 0; i < RECEIVERS; i++) drain(flight.sockets[i]);
    }
    land(&flight);
    munmap(queue, queue_size);
    munmap(done, done_size);
    munmap(entries, entries_size);
    close(ring);
    return sent > 0 ? passed / (double)sent : -1;
}

double floor_receive(int size, int packets) {
    static unsigned char data[MESSAGES][2048];
    struct sockaddr_in from, to, names[MESSAGES];
    int sender = bound_socket(0, &from), receiver = bound_socket(0, &to);
    struct mmsghdr headers[MESSAGES];
    struct iovec vectors[MESSAGES];
    memset(headers, 0, sizeof headers);
    for (int i = 0; i < MESSAGES; i++) {
        vectors[i] = (struct iovec){data[i], sizeof data[i]};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = &names[i];
        headers[i].msg_hdr.msg_namelen = sizeof names[i];
    }
    double passed = 0;
    long received = 0;
    while (received < packets) {
        for (int i = 0; i < MESSAGES; i++) sendto(sender, data[0], (size_t)size, 0, (struct sockaddr *)&to, sizeof to);
        double start = cpu_seconds();
        int taken = recvmmsg(receiver, headers, MESSAGES, MSG_DONTWAIT, NULL);
        passed += cpu_seconds() - start;
        if (taken <= 0) break;
        received += taken;
    }
    close(sender);
    close(receiver);
    return received > 0 ? passed / (double)received : -1;
}

static int packet_at(const unsigned char *packets, int index, const unsigned char **start) {
    for (int i = 0; i < index; i++) packets += 2 + (packets[0] << 8 | packets[1]);
    *start = packets + 2;
    return packets[0] << 8 | packets[1];
}

long floor_crowd(
    const unsigned short *remote, const unsigned short *local, int count, int speakers, const unsigned char *speech, int speech_packets,
    const unsigned char *silence, int silence_packets, int payload_type, int level_id, double seconds) {
    int *sockets = calloc((size_t)count, sizeof *sockets);
    long received = 0;
    struct sockaddr_in name;
    if (!sockets) return -1;
    for (int i = 0; i < count; i++) {
        sockets[i] = bound_socket(local[i], &name);
        name.sin_port = htons(remote[i]);
        if (sockets[i] < 0 || connect(sockets[i], (struct sockaddr *)&name, sizeof name) != 0) return -1;
    }
    double start = wall_seconds();
    for (long tick = 0; wall_seconds() - start < seconds; tick++) {
        double due = start + (double)tick * 0.02;
        // Senders are spread over the tick, as on a network.
        for (int i = 0; i < count; i++) {
            if (i % 16 == 0) {
                double wait = due + 0.02 * i / count - wall_seconds();
                if (wait > 0.0005) usleep((useconds_t)(wait * 1e6));
            }
            unsigned char packet[1500], ignored[2048];
            const unsigned char *payload;
            int speaks = i < speakers, packets = speaks ? speech_packets : silence_packets;
            int length = packet_at(speaks ? speech : silence, (int)((tick + i * 7) % packets), &payload);
            unsigned short sequence = (unsigned short)tick;
            unsigned int time = (unsigned int)(tick * 960), ssrc = 1000u + (unsigned int)i;
            int head = 12;
            memset(packet, 0, 20);
            packet[0] = level_id > 0 ? 0x90 : 0x80;
            packet[1] = (unsigned char)payload_type;
            packet[2] = (unsigned char)(sequence >> 8);
            packet[3] = (unsigned char)sequence;
            for (int k = 0; k < 4; k++) {
                packet[4 + k] = (unsigned char)(time >> (24 - 8 * k));
                packet[8 + k] = (unsigned char)(ssrc >> (24 - 8 * k));
            }
            if (level_id > 0) {
                packet[12] = 0xbe;
                packet[13] = 0xde;
                packet[15] = 1;
                packet[16] = (unsigned char)(level_id << 4);
                packet[17] = speaks ? 30 : 127;
                head = 20;
            }
            memcpy(packet + head, payload, (size_t)length);
            send(sockets[i], packet, (size_t)(head + length), MSG_DONTWAIT);
            while (recv(sockets[i], ignored, sizeof ignored, MSG_DONTWAIT) > 0) received++;
        }
        double wait = start + (double)(tick + 1) * 0.02 - wall_seconds();
        if (wait > 0.0005) usleep((useconds_t)(wait * 1e6));
    }
    for (int i = 0; i < count; i++) close(sockets[i]);
    free(sockets);
    return received;
}

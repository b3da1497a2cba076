// Counts what a process asks of malloc, from outside of it: LD_PRELOAD this library and name a file in NHIPCAU_ALLOCATIONS. The file is
// a shared mapping that a benchmark reads while the process runs: the counters first, then one entry for each call stack.
//
// With NHIPCAU_ALLOCATION_STACKS=1 the stacks are kept too, with what is still allocated for each (slower, all threads behind one lock). The frames are
// found by frame pointers, which Swift code keeps: a C library's inner frames may be missing, its caller is not.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

#define MOST_STACKS 32768
#define MOST_FRAMES 20
#define MOST_LIVE (1 << 20)

struct stack {
    uint64_t hash, allocations, live, live_bytes;
    uint64_t frames[MOST_FRAMES];
};

struct report {
    uint64_t magic, stacks_kept;
    _Atomic uint64_t allocations, frees, bytes;
    struct stack stacks[MOST_STACKS];
};

struct live {
    void *address;
    uint32_t stack;
    uint32_t size;
};

static struct report *report;
static struct live *lives;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static bool keeps_stacks;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("NHIPCAU_ALLOCATIONS");
    if (path == NULL) return;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(struct report)) != 0) return;
    void *mapped = mmap(NULL, sizeof(struct report), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) return;
    const char *stacks = getenv("NHIPCAU_ALLOCATION_STACKS");
    if (stacks != NULL && stacks[0] == '1') {
        void *table = mmap(NULL, sizeof(struct live) * MOST_LIVE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (table != MAP_FAILED) {
            lives = table;
            keeps_stacks = true;
        }
    }
    struct report *made = mapped;
    made->magic = 0x4e434131;
    made->stacks_kept = keeps_stacks;
    report = made;
}

static size_t place_of(const void *address) { return ((uintptr_t)address >> 4) * 0x9E3779B97F4A7C15ull >> 44; }

static uint32_t stack_of(void **frame, void *caller) {
    uint64_t frames[MOST_FRAMES] = {(uint64_t)caller};
    int count = 1;
    uint64_t hash = (uint64_t)caller;
    uintptr_t at = (uintptr_t)*frame;  // the caller's frame
    uintptr_t before = (uintptr_t)frame;
    while (count < MOST_FRAMES && at > before && at - before < (1 << 17) && at % 8 == 0) {
        uint64_t address = ((uint64_t *)at)[1];
        if (address < 4096) break;
        frames[count++] = address;
        hash = (hash ^ address) * 0x100000001B3ull;
        before = at;
        at = *(uintptr_t *)at;
    }
    if (hash == 0) hash = 1;
    for (uint32_t step = 0; step < MOST_STACKS; step++) {
        uint32_t place = ((hash >> 20 ^ hash) + step) & (MOST_STACKS - 1);
        struct stack *stack = &report->stacks[place];
        if (stack->hash == hash) return place;
        if (stack->hash == 0) {
            stack->hash = hash;
            memcpy(stack->frames, frames, sizeof frames);
            return place;
        }
    }
    return 0;
}

static void note(void *address, size_t size, void **frame, void *caller) {
    if (report == NULL || address == NULL) return;
    atomic_fetch_add_explicit(&report->allocations, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&report->bytes, size, memory_order_relaxed);
    if (!keeps_stacks) return;
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {}
    uint32_t stack = stack_of(frame, caller);
    report->stacks[stack].allocations++;
    for (size_t step = 0; step < 4096; step++) {
        struct live *live = &lives[(place_of(address) + step) & (MOST_LIVE - 1)];
        if (live->address == NULL || live->address == (void *)1) {
            *live = (struct live){address, stack, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size};
            report->stacks[stack].live++;
            report->stacks[stack].live_bytes += live->size;
            break;
        }
    }
    atomic_flag_clear_explicit(&lock, memory_order_release);
}

static void forget(void *address) {
    if (report == NULL || address == NULL) return;
    atomic_fetch_add_explicit(&report->frees, 1, memory_order_relaxed);
    if (!keeps_stacks) return;
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {}
    for (size_t step = 0; step < 4096; step++) {
        struct live *live = &lives[(place_of(address) + step) & (MOST_LIVE - 1)];
        if (live->address == NULL) break;
        if (live->address == address) {
            report->stacks[live->stack].live--;
            report->stacks[live->stack].live_bytes -= live->size;
            live->address = (void *)1;
            break;
        }
    }
    atomic_flag_clear_explicit(&lock, memory_order_release);
}

#define NOTE(address, size) note(address, size, __builtin_frame_address(0), __builtin_return_address(0))

void *malloc(size_t size) {
    void *address = __libc_malloc(size);
    NOTE(address, size);
    return address;
}

void *calloc(size_t count, size_t size) {
    void *address = __libc_calloc(count, size);
    NOTE(address, count * size);
    return address;
}

void *realloc(void *old, size_t size) {
    forget(old);
    void *address = __libc_realloc(old, size);
    NOTE(address, size);
    return address;
}

void *memalign(size_t alignment, size_t size) {
    void *address = __libc_memalign(alignment, size);
    NOTE(address, size);
    return address;
}

void *aligned_alloc(size_t alignment, size_t size) {
    void *address = __libc_memalign(alignment, size);
    NOTE(address, size);
    return address;
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    void *address = __libc_memalign(alignment, size);
    if (address == NULL) return ENOMEM;
    NOTE(address, size);
    *result = address;
    return 0;
}

void free(void *address) {
    forget(address);
    __libc_free(address);
}

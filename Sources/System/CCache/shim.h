// Asks the processor for memory before it is needed. Swift has no word for that.
#pragma once

/// Begins to bring `bytes` from `start` on into the first cache, without waiting for them. A hint: any address will do, also one that is not there.
static inline void nc_prefetch(const void *start, long bytes) {
    for (long offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const char *)start + offset, 1, 3);
}

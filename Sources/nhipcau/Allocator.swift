import CMalloc

/// How glibc's allocator is set for a server that runs for weeks while sites come and go.
///
/// Left alone it gives each thread an arena of its own and learns to keep ever larger blocks in them: every codec and buffer that a site takes
/// on joining then leaves a hole in another arena, and resident memory grows by a fifth before it settles, though nothing leaks. Packets and
/// pictures allocate nothing in the steady state, so that fewer arenas cost no time.
enum Allocator {
    static func prepare() {
        mallopt(M_ARENA_MAX, 2)
        // Fixed, so that it no longer climbs by itself: pictures and codecs' buffers come from the kernel and go back to it.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        mallopt(M_TRIM_THRESHOLD, 1 << 20)
    }
}

import Base
import CMalloc
import Foundation
import MCU

/// What this process takes of the machine's memory, in bytes.
struct ProcessMemory {
    /// In RAM: what the machine gives this process (proc(5), `statm`).
    var resident: Int
    /// Asked for by the program and not given back (mallinfo2(3)): growth here is a leak or a cache.
    var used: Int
    /// Kept by the allocator for later.
    var idle: Int

    static func now() -> ProcessMemory {
        let heap = mallinfo2()
        // Where the system has no such file, there is no such figure.
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?.split(separator: " ")
        let pages = fields.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0
        return ProcessMemory(
            resident: pages * Int(sysconf(Int32(_SC_PAGESIZE))), used: Int(heap.uordblks + heap.hblkhd), idle: Int(heap.fordblks))
    }

    var samples: [MetricSample] {
        [
            MetricSample("nhipcau_memory_resident_bytes", help: "Memory of this process in RAM.", kind: .gauge, value: Double(resident)),
            MetricSample("nhipcau_memory_heap_used_bytes", help: "Heap in use.", kind: .gauge, value: Double(used)),
            MetricSample("nhipcau_memory_heap_idle_bytes", help: "Heap kept for later.", kind: .gauge, value: Double(idle)),
        ]
    }
}

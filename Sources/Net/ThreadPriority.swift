internal import CSockets

/// What goes first when the machine is busy: sound, then packets, then pictures, then everything else. Needs CAP_SYS_NICE (deploy/nhipcau.service grants it);
/// without it threads stay as they are.
package enum ThreadPriority: Int32 {
    case sound = -12
    case network = -10
    case picture = -6

    /// For the calling thread, which gets its name for `top -H` and for measurements too.
    package static func raise(_ priority: ThreadPriority, name: String) {
        nc_set_thread_name(name)
        nc_set_thread_nice(priority.rawValue)
    }
}

/// How long somebody waits for the store who can do without its answer.
package enum StorePatience {
    /// Of what is read meanwhile; nil is the engine's own. A figure among many is not worth that the others come late.
    @TaskLocal package static var limit: Duration?
}

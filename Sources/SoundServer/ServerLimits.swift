/// What a server allows.
package struct ServerLimits: Sendable {
    /// Jobs that may wait; more are refused.
    package var waitingJobs = 32
    /// Bytes of a request's body.
    package var bodyBytes = 64 << 20
    /// Length of a sound, in seconds.
    package var seconds = 600.0
    /// Bytes of a prompt.
    package var promptBytes = 4096
    /// Sounds of which the best is kept.
    package var candidates = 8
    /// Memory that the work may take, in bytes; nil for what is fastest.
    package var memoryLimit: Int?
    /// Bytes of finished sounds that are kept for clients that come for them.
    package var resultBytes = 256 << 20
    /// Seconds for which a finished job is kept.
    package var resultSeconds = 900.0
    /// Sounds that are made together at most.
    package var batch = 8

    package init() {}
}

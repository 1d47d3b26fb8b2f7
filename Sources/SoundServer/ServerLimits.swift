/// What a server allows.
package struct ServerLimits: Sendable {
    /// Jobs that may wait; more are refused.
    package var waitingJobs = 32
    /// Bytes of a request's body.
    package var bodyBytes = 64 << 20
    /// Bytes of all bodies that are on their way, or being read.
    package var allBodyBytes = 256 << 20
    /// Bytes of JSON in a request.
    package var jsonBytes = 128 << 10
    /// Length of a sound, in seconds, of those that are sent too.
    package var seconds = 600.0
    /// Seconds of a sound × steps of the denoiser × candidates.
    package var work = 40_000.0
    /// Bytes of a prompt, and of each other text.
    package var textBytes = 4096
    /// Sounds of which the best is kept.
    package var candidates = 8
    /// Memory that the work may take, in bytes; nil for what is fastest.
    package var memoryLimit: Int?
    /// Bytes of samples of the sounds that wait to be changed or judged, as long as one waits already.
    package var uploadedBytes = 256 << 20
    /// Bytes of finished sounds that are kept for clients that come for them.
    package var resultBytes = 256 << 20
    /// Seconds for which a finished job is kept.
    package var resultSeconds = 900.0
    /// Finished jobs that are kept.
    package var endedJobs = 1000
    /// Seconds that a server which is about to end waits for clients that come for their sounds.
    package var lastSeconds = 10.0
    /// Sounds that are made together at most.
    package var batch = 8

    package init() {}
}

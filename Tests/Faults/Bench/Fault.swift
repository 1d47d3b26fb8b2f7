import CFaults
import Foundation

/// What the system does to one call.
struct Fault {
    let name: String
    let kinds: UInt32
    var action = FAULTS_FAIL
    var code: Int32 = 0
    /// Whether every later call of the kind fails too.
    var onwards = false
    /// Whether it can only be met where files are written: then it is tried in all variants of a scenario.
    var isOfDisk = false
    var isQuick = false
    /// Calls at the most; nil for as many as of any.
    var most: Int?

    /// Whether a program that is well written works on.
    var isHarmless: Bool {
        action == FAULTS_HALVE || (action == FAULTS_FAIL && (code == EINTR || kinds == FAULTS_ADVICE.rawValue))
    }

    private static let (open, read, write) = (FAULTS_OPEN.rawValue, FAULTS_READ.rawValue, FAULTS_WRITE.rawValue)
    private static let (sync, place, size) = (FAULTS_SYNC.rawValue, FAULTS_PLACE.rawValue, FAULTS_SIZE.rawValue)
    private static let (names, threads) = (FAULTS_NAME.rawValue, FAULTS_THREAD.rawValue)
    private static let onDisk = write | sync | place | size | names
    private static let stages = onDisk | open | FAULTS_CLOSE.rawValue | FAULTS_MAP.rawValue | threads

    /// Of single calls.
    static let all: [Fault] = [
        Fault(name: "open-crowded", kinds: open, code: EMFILE, isOfDisk: true, isQuick: true),
        Fault(name: "open-refused", kinds: open, code: EACCES),
        Fault(name: "read-fails", kinds: read, code: EIO, isQuick: true),
        Fault(name: "read-halved", kinds: read, action: FAULTS_HALVE),
        Fault(name: "read-interrupted", kinds: read, code: EINTR),
        Fault(name: "write-disk-full", kinds: write, code: ENOSPC, isOfDisk: true, isQuick: true),
        Fault(name: "write-full-from-here", kinds: write | size, code: ENOSPC, onwards: true, isOfDisk: true),
        Fault(name: "write-fails", kinds: write, code: EIO, isOfDisk: true),
        Fault(name: "write-halved", kinds: write, action: FAULTS_HALVE, isOfDisk: true, isQuick: true),
        Fault(name: "write-interrupted", kinds: write, code: EINTR, isOfDisk: true),
        Fault(name: "sync-fails", kinds: sync, code: EIO, isOfDisk: true, isQuick: true),
        Fault(name: "place-fails", kinds: place, code: EIO, isOfDisk: true, isQuick: true),
        Fault(name: "place-refused", kinds: place, code: EPERM, isOfDisk: true),
        Fault(name: "size-fails", kinds: size, code: EIO, isOfDisk: true, isQuick: true),
        Fault(name: "name-fails", kinds: names, code: EACCES, isOfDisk: true),
        Fault(name: "close-fails", kinds: FAULTS_CLOSE.rawValue, code: EIO, isOfDisk: true, isQuick: true),
        Fault(name: "map-refused", kinds: FAULTS_MAP.rawValue, code: ENOMEM, isQuick: true),
        Fault(name: "map-refused-from-here", kinds: FAULTS_MAP.rawValue, code: ENOMEM, onwards: true),
        Fault(name: "advice-refused", kinds: FAULTS_ADVICE.rawValue, code: EAGAIN, isQuick: true),
        Fault(name: "thread-refused", kinds: threads, code: EAGAIN, isQuick: true),
        Fault(name: "thread-refused-from-here", kinds: threads, code: EAGAIN, onwards: true),
        Fault(
            name: "kill", kinds: onDisk | open, action: FAULTS_SIGNAL, code: SIGKILL, isOfDisk: true, isQuick: true),
        Fault(name: "kill-anywhere", kinds: FAULTS_ANY.rawValue, action: FAULTS_SIGNAL, code: SIGKILL),
        Fault(name: "end", kinds: stages, action: FAULTS_SIGNAL, code: SIGTERM, isQuick: true),
        Fault(name: "interrupt", kinds: stages, action: FAULTS_SIGNAL, code: SIGINT),
    ]
}

import Files

/// A file that libsndfile reads. Of one that somebody cuts meanwhile it asks for the same bytes for ever: here it gets zeros up
/// to the length that the file had, and what happened is remembered.
final class SoundInput: SoundTransport {
    private var firstLength = 0
    /// Why not everything could be read; nil if it could.
    private(set) var failure: String?

    override init(_ descriptor: Int32) {
        super.init(descriptor)
        firstLength = super.length
    }

    override var length: Int { firstLength }

    /// Whether these are the file's first bytes. Goes back to its start.
    func begins(with bytes: [UInt8]) -> Bool {
        var start = [UInt8](repeating: 0, count: bytes.count)
        let count = start.withUnsafeMutableBytes { read($0) }
        position = 0
        return count == bytes.count && start == bytes
    }

    override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard position >= 0, position < length else { return 0 }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, length - position)])
        var count = 0
        do {
            count = try Transfer.read(into: part, from: descriptor, at: position)
            if count < part.count { failure = failure ?? "it was cut short while it was read" }
        } catch let error as FileError {
            failure = failure ?? systemReason(error.code, reading: true)
        } catch {}
        for index in count..<part.count { part[index] = 0 }
        position += part.count
        return part.count
    }
}

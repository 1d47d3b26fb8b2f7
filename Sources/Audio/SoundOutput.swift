import Files

/// An empty file, open for reading and writing, that libsndfile writes. It forgets that a write was refused when that happens as
/// it closes a file, where the header gets its last numbers: here it is remembered.
final class SoundOutput: SoundTransport {
    /// What the system refused first; nil if it took everything.
    private(set) var failure: FileError?

    override func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard failure == nil else { return 0 }
        do {
            try Transfer.write(bytes, to: descriptor, at: position)
        } catch {
            failure = error as? FileError
            return 0
        }
        position += bytes.count
        return bytes.count
    }

    override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = (try? Transfer.read(into: buffer, from: descriptor, at: position)) ?? 0
        position += count
        return count
    }
}

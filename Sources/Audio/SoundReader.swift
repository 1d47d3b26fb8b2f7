import CSndfile
import Files
import FoundationEssentials
import Glibc
import Text

/// A sound file that is read block by block.
package final class SoundReader {
    package let path: String
    package let channels: Int
    /// Frames per second.
    package let sampleRate: Int
    /// What the header says, a promise and not a reason to allocate; nil where there is none.
    private let frameCount: Int?
    private let descriptor: Int32
    private var input: SoundInput
    private var file: SndfileHandle
    private var framesRead = 0
    private var block: [Float]

    /// What comes through a pipe is kept in a file: most decoders go back and forth.
    private static let maximumPipeBytes = 4 << 30

    /// Opens a sound of any kind that libsndfile knows, in a file or from a pipe.
    /// - Parameter name: "-" is the standard input.
    /// - Throws: `AudioError`.
    package convenience init(_ name: String) throws {
        let path = name == ReadOnce.standardInput ? "standard input" : name
        try self.init(owning: Self.descriptor(of: name, path: path), path: path)
    }

    /// Opens a sound that a program holds, of any kind that libsndfile knows.
    /// - Throws: `AudioError`.
    package convenience init(_ data: Data) throws {
        let file = try MemoryFile(data)
        try self.init(owning: file.duplicate(), path: MemoryFile.name)
    }

    /// - Parameter descriptor: is closed with the reader.
    private init(owning descriptor: Int32, path: String) throws {
        do {
            input = SoundInput(descriptor)
            file = try Self.handle(of: input, path: path)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        channels = Int(file.info.channels)
        sampleRate = Int(file.info.samplerate)
        frameCount = Self.promisesLength(file.info) ? Int(file.info.frames) : nil
        block = [Float](repeating: 0, count: SndfileHandle.block * channels)
    }

    deinit { close(descriptor) }

    /// A stream's header does not know its length, and of an MP3 file it may be guessed by the first frame's.
    private static func promisesLength(_ info: SF_INFO) -> Bool {
        info.frames != .max && info.format & Int32(SF_FORMAT_TYPEMASK) != Int32(SF_FORMAT_MPEG)
    }

    private static func descriptor(of name: String, path: String) throws -> Int32 {
        do {
            if ReadOnce.isNeeded(name) { return try ReadOnce.kept(name, limit: maximumPipeBytes) }
            return try RegularFile.open(name).descriptor
        } catch let error as FileError {
            throw AudioError.cannotRead(
                path: path, reason: error.code == 0 ? error.reason : systemReason(error.code, reading: true))
        }
    }

    private static func handle(of input: SoundInput, path: String) throws -> SndfileHandle {
        // Of a sampler's dump libsndfile tells faults on the standard output, where somebody else's sound may be on its way.
        guard !input.begins(with: [0xF0, 0x7E]) else {
            throw AudioError.cannotRead(path: path, reason: "a MIDI sample dump; make another kind of file of it (sox)")
        }
        let opened = SndfileHandle(reading: input)
        if let failure = input.failure { throw AudioError.cannotRead(path: path, reason: failure) }
        guard let file = opened else {
            let reason = SndfileHandle.openError.lowercased().trimmed { $0 == "." }
            throw AudioError.cannotRead(path: path, reason: reason + "; choose a sound (wav, flac, ogg, mp3 …)")
        }
        guard file.info.channels > 0, Sound.sampleRates.contains(Int(file.info.samplerate)) else {
            throw AudioError.damaged(
                path: path,
                reason: "\(file.info.channels) channels at \(file.info.samplerate) Hz; sounds have one or more, at "
                    + "\(Sound.sampleRates.lowerBound) to \(Sound.sampleRates.upperBound) Hz")
        }
        return file
    }

    /// Goes back to the start. Not every decoder finds a place in its file, so it begins anew.
    /// - Throws: `AudioError`.
    package func rewind() throws {
        input = SoundInput(descriptor)
        file = try Self.handle(of: input, path: path)
        framesRead = 0
    }

    /// The next frames, interleaved; none at the end.
    /// - Throws: `AudioError`: `damaged` if the file ends before its header says, or cannot be decoded; `cannotRead`.
    package func next() throws -> ArraySlice<Float> {
        let count = max(0, Int(sf_read_float(file.pointer, &block, sf_count_t(block.count))))
        if let failure = input.failure { throw AudioError.cannotRead(path: path, reason: failure) }
        let frames = count / channels
        framesRead += frames
        // A file that was cut may end within a frame.
        guard frames == 0 else { return block[..<(frames * channels)] }
        if let error = file.error { throw AudioError.damaged(path: path, reason: error.lowercased()) }
        if let frameCount, framesRead != frameCount {
            throw AudioError.damaged(path: path, reason: "it ends after \(framesRead) of \(frameCount) frames")
        }
        return []
    }
}

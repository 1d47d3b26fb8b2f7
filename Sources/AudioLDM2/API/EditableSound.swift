import Audio

/// A sound in a file, or from a pipe, of which parts are changed: no more than those are in memory.
///
///     let sound = try EditableSound(contentsOf: "street.wav")
///     let part = try pipeline.part(of: sound, plan: .inpaint([62...64]))
///     let result = try await pipeline.edit(sound.clip(part), "birdsong", plan: part.plan)
///     try sound.write(part.completed(result), inPlaceOf: part, to: "birds.wav")
public final class EditableSound {
    private let reader: SoundReader
    /// Samples of each channel.
    public let frames: Int
    /// Channels, which are interleaved in a clip.
    public var channels: Int { reader.channels }
    /// In Hz.
    public var sampleRate: Int { reader.sampleRate }
    /// Length.
    public var seconds: Double { Double(frames) / Double(sampleRate) }

    /// Reads the sound once, to know how long it is and that it can be read.
    /// - Parameter path: "-" is the standard input.
    /// - Throws: `AudioLDM2Error` of kind `.file` for what is missing, damaged, no sound, or holds samples that are not finite.
    public init(contentsOf path: String) throws {
        (reader, frames) = try AudioLDM2Error.translating {
            let reader = try SoundReader(path)
            var frames = 0
            while case let block = try reader.next(), !block.isEmpty {
                if let index = block.firstIndex(where: { !$0.isFinite }) {
                    throw AudioLDM2Error.notFinite(
                        sample: frames * reader.channels + index - block.startIndex, of: reader.path)
                }
                frames += block.count / reader.channels
            }
            guard frames > 0 else {
                throw AudioLDM2Error(.file, "\(reader.path): damaged sound file: it holds no samples")
            }
            return (reader, frames)
        }
    }

    /// What a part of an edit is made of.
    /// - Parameter memoryLimit: in bytes; a part of which not even three copies fit into it is refused.
    /// - Throws: `AudioLDM2Error`.
    public func clip(_ part: EditPart, memoryLimit: Int? = nil) throws -> AudioClip {
        let limit = [memoryLimit, MemoryPlan.processLimit].compactMap(\.self).min() ?? .max
        guard part.frames.count <= min(limit / (3 * MemoryLayout<Float>.size), SoundFile.maximumSamples) / channels
        else {
            throw AudioLDM2Error(
                .outOfMemory,
                "\(reader.path): what is made anew is too long for the memory that is allowed; change less of it at a time, "
                    + "or choose a higher limit")
        }
        var samples: [Float] = []
        samples.reserveCapacity(part.frames.count * channels)
        try forEachBlock { block, first in
            let wanted = part.frames.clamped(to: first..<first + block.count / channels)
            let start = block.startIndex + (wanted.lowerBound - first) * channels
            samples += block[start..<start + wanted.count * channels]
        }
        return AudioClip(samples: samples, sampleRate: sampleRate, channels: channels)
    }

    /// Writes the whole sound with a result in the place of a part, or, where nothing of the sound is left, the result.
    /// - Returns: how many samples lay beyond ±1 and were clipped to it.
    /// - Throws: `AudioLDM2Error` of kind `.file`.
    @discardableResult
    public func write(_ result: SoundResult, inPlaceOf part: EditPart, to path: String) throws -> Int {
        guard part.isInserted else { return try result.clip.write(to: path, record: result.record) }
        return try AudioLDM2Error.translating {
            let new = result.clip.samples
            let rest = frames - part.frames.upperBound
            return try SoundFile.write(
                frames: part.frames.lowerBound + new.count / channels + rest, channels: channels,
                sampleRate: sampleRate,
                to: path, encoding: result.record.encoding?.stored, metadata: result.record.metadata
            ) { take in
                var isWritten = false
                func insert() throws {
                    isWritten = true
                    for start in stride(from: 0, to: new.count, by: 4096 * channels) {
                        try take(new[start..<min(start + 4096 * channels, new.count)])
                    }
                }
                try forEachBlock { block, first in
                    let all = first..<first + block.count / channels
                    func samples(_ frames: Range<Int>) -> ArraySlice<Float> {
                        let start = block.startIndex + (frames.lowerBound - first) * channels
                        return block[start..<start + frames.count * channels]
                    }
                    let before = all.clamped(to: 0..<part.frames.lowerBound)
                    let after = all.clamped(to: part.frames.upperBound..<max(frames, part.frames.upperBound))
                    if !before.isEmpty { try take(samples(before)) }
                    if !isWritten, all.upperBound > part.frames.lowerBound { try insert() }
                    if !after.isEmpty { try take(samples(after)) }
                }
                if !isWritten { try insert() }
            }
        }
    }

    /// - Parameter body: gets samples, and the number of their first frame.
    private func forEachBlock(_ body: (ArraySlice<Float>, Int) throws -> Void) throws {
        try AudioLDM2Error.translating {
            try reader.rewind()
            var first = 0
            while case let block = try reader.next(), !block.isEmpty {
                try body(block, first)
                first += block.count / channels
            }
        }
    }
}

/// The part of a sound that an edit needs, and what is to be done with it.
public struct EditPart: Sendable {
    /// Samples of each channel.
    public let frames: Range<Int>
    /// With times from the beginning of the part.
    public let plan: EditPlan
    /// Whether the rest of the sound stays, around the result.
    let isInserted: Bool
    /// Of the whole sound.
    private let whole: EditPlan
    private let seconds: Double

    /// - Parameter span: the part, in seconds; nil for all of the sound.
    init(_ plan: EditPlan, of sound: EditableSound, span: ClosedRange<Double>?) {
        (whole, seconds) = (plan, sound.seconds + plan.appendedSeconds)
        guard let span, let times = plan.times else {
            (frames, self.plan, isInserted) = (0..<sound.frames, plan, false)
            return
        }
        func frame(_ time: Double) -> Int {
            min(max(Int((time * Double(sound.sampleRate)).rounded()), 0), sound.frames)
        }
        frames = frame(span.lowerBound)..<frame(span.upperBound)
        let start = Double(frames.lowerBound) / Double(sound.sampleRate)
        var own = plan
        own.times = times.map { max($0.lowerBound - start, 0)...max($0.upperBound - start, 0) }
        (self.plan, isInserted) = (own, true)
    }

    /// A result of this part as one of the whole sound.
    public func completed(_ result: SoundResult) -> SoundResult {
        guard isInserted else { return result }
        var result = result
        result.record.seconds = seconds
        result.record.times = whole.times?.map { [$0.lowerBound, $0.upperBound] }
        return result
    }
}

extension AudioLDM2Pipeline {
    /// The part of a sound that a plan needs: what is made anew, and as much around it as the model hears at once; all of the
    /// sound if it is changed everywhere.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` for a plan that does not fit the sound.
    public func part(
        of sound: EditableSound, plan: EditPlan, options: SoundOptions = .init()
    ) throws -> EditPart {
        try plan.validate(seconds: sound.seconds)
        guard plan.times != nil else { return EditPart(plan, of: sound, span: nil) }
        return try AudioLDM2Error.translating {
            let window = try options.windowFrames(for: model)
            let frames = EditSpan(plan, seconds: sound.seconds, of: model, window: window).frames
            let second = Double(model.vocoderConfig.samplingRate)
            let hop = Double(EditSpan.hop(of: model))
            return EditPart(
                plan, of: sound,
                span: Double(frames.lowerBound) * hop / second...Double(frames.upperBound) * hop / second)
        }
    }
}

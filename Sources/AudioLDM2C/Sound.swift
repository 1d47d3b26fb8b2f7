import AudioLDM2
import CAudioLDM2

// The functions of audioldm2.h that make sounds and hand them out; the header says what they do.

/// `audioldm2_progress` of the header.
public typealias Progress =
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int32, Int32) -> Int32

@_cdecl("audioldm2_generate")
public func generate(
    _ pipeline: OpaquePointer?, _ prompt: UnsafePointer<CChar>?, _ options: UnsafePointer<CChar>?,
    _ progress: Progress?,
    _ context: UnsafeMutableRawPointer?, _ sound: UnsafeMutablePointer<OpaquePointer?>?
) -> audioldm2_status {
    sound?.pointee = nil
    return status {
        let sound = try required(sound, "the place for a sound")
        let pipeline = try required(PipelineHandle.object(pipeline), "the pipeline").pipeline
        let prompt = try required(text(prompt, "the prompt"), "the prompt")
        let options = try MakingSettings(json: text(options, "the options")).options(of: pipeline)
        guard prompt.contains(where: { !$0.isWhitespace }) else {
            throw AudioLDM2Error(.invalidOption, "the prompt is empty: say what the sound should be")
        }
        sound.pointee = try make(prompt, options, by: pipeline, progress, context).handle
    }
}

/// What a progress function is told.
private struct Step {
    let stage: String
    let completed: Int
    let total: Int
}

extension Step {
    init(_ progress: SoundProgress) {
        self.init(stage: progress.stage.rawValue, completed: progress.completed, total: progress.total)
    }
}

private func make(
    _ prompt: String, _ options: SoundOptions, by pipeline: AudioLDM2Pipeline, _ progress: Progress?,
    _ context: UnsafeMutableRawPointer?
) throws -> SoundHandle {
    var warnings: [String] = []
    // Before there is a step, and between two of them, the latest is said again.
    var latest = Step(stage: SoundProgress.Stage.encoding.rawValue, completed: 0, total: 1)
    let result = try Waiting<SoundResult, SoundEvent>.wait(period: progress == nil ? nil : 100) { events in
        var steps: [Step] = []
        for event in events {
            if case .warning(let warning) = event { warnings.append(warning.description) }
            if case .progress(let step) = event { steps.append(Step(step)) }
        }
        guard let progress else { return true }
        latest = steps.last ?? latest
        return (steps.isEmpty ? [latest] : steps).allSatisfy { step in
            step.stage.withCString {
                progress(context, $0, Int32(clamping: step.completed), Int32(clamping: step.total)) == 0
            }
        }
    } for: { send in
        for try await event in pipeline.events(prompt, options: options) {
            if case .finished(let result) = event { return result }
            send(event)
        }
        throw CancellationError()
    }
    return try SoundHandle(result, warnings: warnings)
}

@_cdecl("audioldm2_sound_free")
public func freeSound(_ sound: OpaquePointer?) { SoundHandle.release(sound) }

@_cdecl("audioldm2_sound_samples")
public func samples(_ sound: OpaquePointer?, _ count: UnsafeMutablePointer<Int>?) -> UnsafePointer<Float>? {
    let samples = SoundHandle.object(sound)?.samples
    count?.pointee = samples?.count ?? 0
    return samples.flatMap { UnsafePointer($0.baseAddress) }
}

@_cdecl("audioldm2_sound_sample_rate")
public func soundSampleRate(_ sound: OpaquePointer?) -> Int32 {
    SoundHandle.object(sound).map { Int32(clamping: $0.result.clip.sampleRate) } ?? 0
}

@_cdecl("audioldm2_sound_channels")
public func channels(_ sound: OpaquePointer?) -> Int32 {
    SoundHandle.object(sound).map { Int32(clamping: $0.result.clip.channels) } ?? 0
}

@_cdecl("audioldm2_sound_seed")
public func seed(_ sound: OpaquePointer?) -> UInt64 { SoundHandle.object(sound)?.result.seed ?? 0 }

@_cdecl("audioldm2_sound_record")
public func record(_ sound: OpaquePointer?) -> UnsafePointer<CChar>? {
    SoundHandle.object(sound).flatMap { UnsafePointer($0.record.start) }
}

@_cdecl("audioldm2_sound_warnings")
public func warnings(_ sound: OpaquePointer?) -> UnsafePointer<CChar>? {
    SoundHandle.object(sound).flatMap { UnsafePointer($0.warnings.start) }
}

@_cdecl("audioldm2_sound_write")
public func write(_ sound: OpaquePointer?, _ path: UnsafePointer<CChar>?) -> audioldm2_status {
    status {
        let result = try required(SoundHandle.object(sound), "the sound").result
        let path = try required(fileName(path), "the path")
        try result.clip.write(to: path, record: result.record)
    }
}

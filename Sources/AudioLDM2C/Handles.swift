import AudioLDM2
import FoundationEssentials
import Glibc

/// What C holds of an object: a reference to it that is its own.
protocol Handle: AnyObject {}

extension Handle {
    /// - Returns: a handle that `release` must end.
    var handle: OpaquePointer { OpaquePointer(Unmanaged.passRetained(self).toOpaque()) }

    static func object(_ handle: OpaquePointer?) -> Self? {
        handle.map { Unmanaged<Self>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    static func release(_ handle: OpaquePointer?) {
        if let handle { Unmanaged<Self>.fromOpaque(UnsafeRawPointer(handle)).release() }
    }
}

/// A text for C that lives as long as its owner.
final class CText: Sendable {
    nonisolated(unsafe) let start: UnsafeMutablePointer<CChar>?

    init(_ text: String) { start = strdup(text) }

    deinit { free(start) }
}

/// `audioldm2_pipeline`.
final class PipelineHandle: Handle {
    let pipeline: AudioLDM2Pipeline
    let device: CText

    init(_ pipeline: AudioLDM2Pipeline) {
        self.pipeline = pipeline
        device = CText(pipeline.instructionSet)
    }
}

/// `audioldm2_sound`.
final class SoundHandle: Handle {
    let result: SoundResult
    let record: CText
    let warnings: CText
    /// At a place of its own, which an array's samples need not have.
    let samples: UnsafeMutableBufferPointer<Float>

    init(_ result: SoundResult, warnings: [String]) throws {
        self.result = result
        record = CText(try result.record.json())
        self.warnings = CText(warnings.joined(separator: "\n"))
        samples = .allocate(capacity: result.clip.samples.count)
        _ = samples.initialize(from: result.clip.samples)
    }

    deinit { samples.deallocate() }
}

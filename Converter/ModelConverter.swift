import AudioLDM2
import FoundationEssentials

/// Makes a model file of a published checkpoint: weights are quantized, packed and compressed, one at a time.
///
///     let converter = try await ModelConverter(checkpointAt: URL(filePath: "audioldm2"))
///     let summary = try await converter.convert(to: URL(filePath: "audioldm2.aldm")) { print($0.share) }
///
/// A checkpoint is a folder as diffusers saves it, a folder of CLAP as transformers saves it, or one of the authors' files.
public struct ModelConverter: Sendable {
    /// How weights are stored, where their precision allows.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Weights: String, CaseIterable, Sendable {
        /// 8-bit integers with a scale for each output; float16 or float32 where that would lose too much.
        case int8
        /// Float16, and float32 where it would lose too much.
        case float16
        /// Float32 throughout.
        case float32
    }

    /// How a checkpoint is converted.
    public struct Options: Sendable, Hashable {
        /// How weights of all parts are stored, where their precision allows.
        public var weights: Weights
        /// For parts that are stored otherwise, by their names in the checkpoint's index.
        public var weightsByComponent: [String: Weights]
        /// Of zstd, 1 to 19; nil stores weights as they are, so that they are used in place.
        public var compressionLevel: Int?
        /// Parts that come from other folders, by their names in the checkpoint's index: `["tokenizer": "/models/roberta"]`.
        public var additions: [String: String]
        /// Parts that are left out: text encoders, and what hears sounds.
        public var without: Set<String>
        /// Whose behaviour the model has unless told otherwise; nil for the checkpoint's own.
        public var profile: ReferenceProfile?
        /// What makes waveforms unless told otherwise; nil for the checkpoint's own choice.
        public var vocoder: SoundOptions.Vocoder?

        /// Options, each as said at its property; without any, int8 and zstd of level 3.
        public init(
            weights: Weights = .int8, weightsByComponent: [String: Weights] = [:], compressionLevel: Int? = 3,
            additions: [String: String] = [:], without: Set<String> = [], profile: ReferenceProfile? = nil,
            vocoder: SoundOptions.Vocoder? = nil
        ) {
            self.weights = weights
            self.weightsByComponent = weightsByComponent
            self.compressionLevel = compressionLevel
            self.additions = additions
            self.without = without
            self.profile = profile
            self.vocoder = vocoder
        }
    }

    /// How far a conversion is.
    public struct Progress: Sendable, Hashable {
        /// The part that is worked on.
        public let component: String
        /// Of the checkpoint's weights, in bytes.
        public let bytesDone, bytesTotal: Int
        /// 0…1.
        public var share: Double { Double(bytesDone) / Double(max(bytesTotal, 1)) }
    }

    /// What became of a checkpoint.
    public struct Summary: Sendable, Hashable {
        /// Numbers in all weights.
        public let parameters: Int
        /// Size of the model file.
        public let fileBytes: Int
        /// What the model lacks, what it cannot do without that, and how to add it.
        public let missing: [String]
    }

    private let converter: CheckpointConverter

    /// Reads everything but the weights' numbers, so that a checkpoint which does not fit fails before work begins.
    /// - Throws: `AudioLDM2Error` that names the file, the tensor and what to do.
    public init(checkpointAt url: URL, options: Options = .init()) async throws {
        converter = try await onOwnThread { _ in
            var input = CheckpointInput(path: url.path)
            input.additions = options.additions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            return try CheckpointConverter(input.open(), ConversionOptions(options))
        }
    }

    /// Writes the model file, which appears when it is complete; one that was there is replaced. The same checkpoint and options
    /// write the same bytes.
    /// - Parameter report: hears of every weight, on the working thread.
    /// - Throws: `AudioLDM2Error`; `CancellationError` if the surrounding task is cancelled.
    public func convert(
        to url: URL, report: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> Summary {
        try await onOwnThread { cancellation in
            let summary = try converter.convert(to: url.path) { progress in
                try cancellation.check()
                report(
                    Progress(
                        component: progress.component, bytesDone: progress.bytesDone, bytesTotal: progress.bytesTotal))
            }
            return Summary(
                parameters: summary.parameters, fileBytes: summary.fileBytes, missing: summary.missing)
        }
    }
}

extension ConversionOptions {
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`.
    fileprivate init(_ options: ModelConverter.Options) throws {
        if let level = options.compressionLevel, !(1...19).contains(level) {
            throw AudioLDM2Error(.invalidOption, "a compression level of \(level): choose 1 to 19, or none")
        }
        let omissible = CheckpointLayout.omissible
        if let unknown = options.without.subtracting(omissible).min() {
            throw AudioLDM2Error(
                .invalidOption, "without \(unknown): choose from \(omissible.joined(separator: ", "))")
        }
        self.init(
            weights: options.weights.preset, compression: options.compressionLevel.map { .zstd(level: $0) } ?? .none,
            without: options.without, profile: options.profile)
        componentWeights = options.weightsByComponent.mapValues(\.preset)
        vocoder = options.vocoder
    }
}

extension ModelConverter.Weights {
    fileprivate var preset: WeightPreset {
        switch self {
        case .int8: .int8
        case .float16: .float16
        case .float32: .float32
        }
    }
}

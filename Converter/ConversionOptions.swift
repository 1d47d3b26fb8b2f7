import AudioLDM2
import Platform
import WeightFile

/// How a checkpoint is converted.
package struct ConversionOptions: Sendable {
    package var weights: WeightPreset
    /// For components that are stored otherwise, by name.
    package var componentWeights: [String: WeightPreset] = [:]
    package var compression: PackCompression
    /// Takes the place of what the checkpoint says.
    package var license: LicenseText?
    /// Names from `CheckpointLayout.omissible` of parts whose weights are not wanted.
    package var without: Set<String>
    /// Whose behaviour the model has unless told otherwise; nil for the checkpoint's own.
    package var profile: ReferenceProfile?
    /// What makes waveforms unless told otherwise; nil for the checkpoint's own choice.
    package var vocoder: SoundOptions.Vocoder?
    /// What the float model is asked, so that weights are fitted to what they read; nil to fit nothing.
    package var calibration: CalibrationOptions?
    /// Merged into the weights before anything else is done with them, in this order.
    package var adapters: [LowRankAdapter] = []
    package var threads: Int

    package init(
        weights: WeightPreset = .int8, compression: PackCompression = .zstd(level: 3), license: LicenseText? = nil,
        without: Set<String> = [], profile: ReferenceProfile? = nil,
        threads: Int = SystemProcessors.available
    ) {
        self.weights = weights
        self.compression = compression
        self.license = license
        self.without = without
        self.profile = profile
        self.threads = threads
    }
}

extension ConversionOptions {
    /// Every preset that some component gets.
    var presets: Set<WeightPreset> { Set(componentWeights.values).union([weights]) }

    /// For provenance and summaries: `int8, vocoder=float16`.
    var weightsName: String {
        ([weights.rawValue] + componentWeights.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.rawValue)" })
            .joined(separator: ", ")
    }
}

extension LowRankAdapter {
    /// For provenance.
    var note: String { userScale == 1 ? name : "\(name)=\(userScale)" }
}

import Evaluation
import WeightFile

/// A judge whose network comes from a model file.
public protocol ModelJudge: Judge {
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    var deviceWarning: String? { get }
}

/// The judges that model files hold.
public enum ModelJudges {
    /// The judge of a model file: a network that was made to hear, or else the model's own CLAP.
    /// - Parameter memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`, also for a model file that holds neither.
    public static func open(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) throws -> any ModelJudge {
        let parts = try AudioLDM2Error.translating { try ModelFile(opening: path).pack.components.map(\.name) }
        return SoundJudges.of(parts) == nil
            ? try CLAPJudge(modelAt: path, threads: threads, device: device, memoryLimit: memoryLimit)
            : try NetworkJudge(modelAt: path, threads: threads, device: device, memoryLimit: memoryLimit)
    }
}

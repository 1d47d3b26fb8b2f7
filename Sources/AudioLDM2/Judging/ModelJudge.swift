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
    /// CLAP reads texts if the file holds their tokenizer (`CLAPJudge`), and else only hears (`CLAPSoundJudge`).
    /// - Parameter memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`, also for a model file that holds neither.
    public static func open(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) throws -> any ModelJudge {
        try AudioLDM2Error.translating {
            let file = try ModelFile(opening: path)
            guard SoundJudges.of(file.pack.components.map(\.name)) == nil else {
                return try NetworkJudge(file, threads: threads, device: device, memoryLimit: memoryLimit)
            }
            let context = try StageContext(file, threads: threads, device: device, shelf: .unlimited)
            return CLAPSoundJudge.textRefusal(of: file) == nil
                ? try CLAPJudge(context, memoryLimit: memoryLimit)
                : try CLAPSoundJudge(context, memoryLimit: memoryLimit)
        }
    }
}

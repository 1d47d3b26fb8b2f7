import AudioLDM2
import Checkpoints
import Tensors

/// Recorded tensors and what they were computed from.
package struct GoldenFile {
    let prompt: String
    let negativePrompt: String
    /// Phonemes that a speech model says; nil for other models.
    let transcription: String?
    let seconds: Double
    let steps: Int
    let guidanceScale: Float
    private let file: SafetensorsFile
    private let path: String

    /// - Throws: `AudioLDM2Error` if a setting is missing, and what reading the file throws.
    package init(_ path: String) throws {
        file = try SafetensorsFile(path: path, name: path)
        self.path = path
        let metadata = file.metadata
        func setting<Value>(_ key: String, _ parse: (String) -> Value?) throws -> Value {
            guard let text = metadata[key], let value = parse(text) else {
                throw AudioLDM2Error(
                    .file,
                    "\(path): no usable '\(key)' in its metadata; a golden file records prompt, negative, "
                        + "seconds, steps and guidance")
            }
            return value
        }
        prompt = try setting("prompt") { $0 }
        negativePrompt = try setting("negative") { $0 }
        transcription = metadata["transcription"].flatMap { $0.isEmpty ? nil : $0 }
        seconds = try setting("seconds") { Double($0) }
        steps = try setting("steps") { Int($0) }
        guidanceScale = try setting("guidance") { Float($0) }
        guard guidanceScale > 1 else {
            throw AudioLDM2Error(.file, "\(path): recorded without guidance, which has nothing to compare with")
        }
    }

    package var names: [String] { file.tensors.keys.sorted() }

    func has(_ name: String) -> Bool { file.tensors[name] != nil }

    /// Shape and values of a tensor, integers included.
    package func values(_ name: String) throws -> (shape: Shape, values: [Float]) { try file.values(name) }

    /// A tensor recorded as `[batch, channels, time, frequency]`, in our order of axes.
    package func latents(_ name: String, on backend: any Backend) throws -> Tensor {
        let (shape, values) = try values(name)
        guard shape.rank == 4 else {
            throw AudioLDM2Error(
                .file, "\(path): '\(name)' has shape \(shape), expected [batch, channels, time, frequency]")
        }
        return try backend.upload(
            ChannelOrder.channelsLast(values, shape.extents), [shape[0], shape[2], shape[3], shape[1]])
    }
}

import Checkpoints
import FoundationEssentials
import Glibc
import Tensors

/// What a model made of a prompt, or of a sound, to make sounds from without its encoders.
///
///     let condition = try await pipeline.condition(for: "a dog barking")
///     try condition.write(to: "dog.cond")
///     let options = SoundOptions(condition: try SoundCondition(contentsOf: "dog.cond"))
///
/// A file of it is a safetensors file: `loa [1, vectors, width]`, and of a prompt also `states [1, tokens, width]` and
/// `mask [1, tokens]` (1 for tokens, 0 for padding), or `film [1, width]`, whatever the model has; the negative prompt's
/// under `negative.` and the same names.
public struct SoundCondition: Sendable, Hashable {
    static let format = "audioldm2-condition-1"

    /// The prompt, or the name of the sound, that it was made of.
    public let source: String
    /// What was said that the sound should not be.
    public let negativePrompt: String
    let tensors: [String: NamedTensor]

    init(source: String, negativePrompt: String = "", _ tensors: [NamedTensor]) {
        self.source = source
        self.negativePrompt = negativePrompt
        self.tensors = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether it only says how a sound should be, so that a prompt has to say the rest.
    public var isLanguageOfAudioAlone: Bool { Set(tensors.keys) == ["loa"] }

    /// - Throws: `AudioLDM2Error` of kind `.file` for a file that is missing, damaged or something else.
    public init(contentsOf path: String) throws {
        self = try AudioLDM2Error.translating {
            let other = AudioLDM2Error(
                .file,
                "\(path): is not a condition, or a damaged one; make one with 'audioldm2 encode' or 'audioldm2 loa'")
            let file: SafetensorsFile
            do {
                file = try SafetensorsFile(path: path, name: path)
            } catch CheckpointError.malformed {
                throw other
            }
            guard file.metadata["format"] == Self.format else { throw other }
            let known = ["loa", "states", "mask", "film"].flatMap { [$0, "negative." + $0] }
            let tensors = try file.tensors.keys.sorted().map { name in
                guard known.contains(name) else {
                    throw AudioLDM2Error(.file, "\(path): holds '\(name)', which is no part of a condition")
                }
                let (shape, values) = try file.values(name)
                guard values.allSatisfy(\.isFinite) else {
                    throw AudioLDM2Error(.file, "\(path): '\(name)' holds numbers that are infinite or not numbers")
                }
                return NamedTensor(name: name, shape: shape.extents, values: values)
            }
            return SoundCondition(
                source: file.metadata["source"] ?? "", negativePrompt: file.metadata["negative_prompt"] ?? "", tensors)
        }
    }

    /// The same of a file that a URL names.
    public init(contentsOf url: URL) throws { try self.init(contentsOf: url.path) }

    /// Checks a path before any work is done for it.
    /// - Throws: what `write(to:)` would throw for its folder or name.
    public static func checkWritable(_ path: String) throws {
        try AudioLDM2Error.translating { try SafetensorsWriter.checkWritable(path) }
    }

    /// The file appears when it is complete.
    /// - Throws: `AudioLDM2Error` of kind `.file`.
    public func write(to path: String) throws {
        try AudioLDM2Error.translating {
            let ordered = tensors.values.sorted { $0.name < $1.name }
            try SafetensorsWriter.write(
                ordered.map { ($0.name, Shape($0.shape), $0.values) },
                metadata: ["format": Self.format, "source": source, "negative_prompt": negativePrompt], to: path)
        }
    }
}

extension SoundCondition {
    /// Of texts, as the denoiser reads them: the negative one first, if there is one.
    init(prompt: String, negativePrompt: String, _ conditions: [Condition]) throws {
        var tensors: [NamedTensor] = []
        for (condition, prefix) in zip(conditions.reversed(), ["", "negative."]) {
            for (name, tensor) in [("loa", condition.loa), ("states", condition.states), ("film", condition.film)] {
                guard let tensor else { continue }
                tensors.append(
                    NamedTensor(name: prefix + name, shape: tensor.shape.extents, values: try tensor.values()))
            }
            guard !condition.mask.isEmpty else { continue }
            tensors.append(
                NamedTensor(
                    name: prefix + "mask", shape: [1, condition.mask.count], values: condition.mask.map(Float.init)))
        }
        self.init(source: prompt, negativePrompt: negativePrompt, tensors)
    }

    /// As large as any that a model reads, for plans.
    static func largest(for model: Model) -> SoundCondition {
        let states = model.secondConfig.map { [model.projectionConfig?.learnedPositions ?? 512, $0.width] }
        let tensors = ["", "negative."].flatMap { prefix in
            [
                ("loa", model.languageModelConfig.map { [$0.newTokens, $0.nEmbd] }), ("states", states),
                ("mask", states.map { [$0[0]] }), ("film", model.unetConfig.filmWidth.map { [$0] }),
            ].compactMap { name, shape in
                shape.map {
                    NamedTensor(
                        name: prefix + name, shape: [1] + $0, values: Array(repeating: 1, count: $0.reduce(1, *)))
                }
            }
        }
        return SoundCondition(source: "", tensors)
    }

    /// What the denoiser of a model reads, the negative prompt's first if it is wanted.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` if this was made by another kind of model, or lacks a part.
    func conditions(isGuided: Bool, for model: Model, on backend: any Backend) throws -> [Condition] {
        let sides = try (isGuided ? ["negative.", ""] : [""]).map { prefix in
            Condition(
                film: try tensor(prefix + "film", [1, model.unetConfig.filmWidth], on: backend),
                loa: try tensor(prefix + "loa", [1, nil, model.languageModelConfig?.nEmbd], on: backend),
                states: try tensor(prefix + "states", [1, nil, model.secondConfig?.width], on: backend),
                mask: try mask(prefix, model))
        }
        let lengths = Set(sides.map { [$0.loa?.shape[1], $0.states?.shape[1], $0.mask.count] })
        guard lengths.count == 1, sides.allSatisfy({ $0.mask.count == $0.states?.shape[1] ?? 0 }) else {
            throw mismatch("its parts differ in length")
        }
        return sides
    }

    /// The language of audio alone.
    func languageOfAudio(for model: Model, on backend: any Backend) throws -> Tensor {
        guard let loa = try tensor("loa", [1, nil, model.languageModelConfig?.nEmbd], on: backend) else {
            throw AudioLDM2Error(.invalidOption, "\(model.pack.path): this model has no language of audio to replace")
        }
        return loa
    }

    /// - Parameter extents: nil for any; a nil width means that the model does not read this.
    private func tensor(_ name: String, _ extents: [Int?], on backend: any Backend) throws -> Tensor? {
        guard extents.last != .some(nil) else { return nil }
        guard let tensor = tensors[name] else { throw mismatch("it has no '\(name)'") }
        let fits = zip(tensor.shape, extents).allSatisfy { $0 == $1 ?? max($0, 1) }
        guard tensor.shape.count == extents.count, fits else {
            let expected = extents.map { $0.map(String.init) ?? "n" }.joined(separator: ", ")
            throw mismatch("'\(name)' has shape \(Shape(tensor.shape)), expected [\(expected)]")
        }
        return try backend.upload(tensor.values, Shape(tensor.shape))
    }

    private func mask(_ prefix: String, _ model: Model) throws -> [Int] {
        guard model.secondConfig != nil else { return [] }
        guard let mask = tensors[prefix + "mask"] else { throw mismatch("it has no '\(prefix)mask'") }
        guard mask.shape.count == 2, mask.shape[0] == 1, mask.values.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw mismatch("'\(prefix)mask' is not a row of ones and zeros")
        }
        return mask.values.map { Int($0) }
    }

    private func mismatch(_ reason: String) -> AudioLDM2Error {
        AudioLDM2Error(
            .invalidOption,
            "the condition of \(source.quoted) does not fit this model: \(reason); encode the prompt with this model")
    }
}

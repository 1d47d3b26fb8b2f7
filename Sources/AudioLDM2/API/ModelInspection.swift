import Tensors
import WeightFile

/// What a model file contains.
public struct ModelInspection: Sendable, Codable {
    /// A network of the model.
    public struct Component: Sendable, Codable {
        /// Its part of the file, such as `unet`.
        public let name: String
        /// The reference class whose weights these are.
        public let className: String
        /// Numbers in its weights.
        public let parameters: Int
        /// In the file, compressed.
        public let storedBytes: Int
        /// As computed with.
        public let bytes: Int
        /// Parameters by storage: int8, float16, float32.
        public let parametersByFormat: [String: Int]
        /// Its weights, in the order of the file.
        public let tensors: [TensorEntry]
    }

    /// A weight as the file holds it.
    public struct TensorEntry: Sendable, Codable {
        /// Its path within the network.
        public let name: String
        /// Its extents, in the order in which it is computed with.
        public let shape: [Int]
        /// How its numbers are stored: int8, float16 or float32.
        public let format: String
        /// "quantized" if inputs are quantized too, "scaled" if they get factors before that, else "float".
        public let activations: String
        /// As computed with.
        public let bytes: Int
        /// In the file.
        public let storedBytes: Int
        /// Pieces in the file, each with a checksum.
        public let chunks: Int
        /// Whether they are compressed.
        public let compressed: Bool
    }

    /// A remark that the converter left.
    public struct Note: Sendable, Codable {
        /// What it is about.
        public let key: String
        /// What it says.
        public let value: String
    }

    /// The file.
    public let path: String
    /// Its size.
    public let fileBytes: Int
    /// The same for files of the same contents; what `SoundRecord.modelHash` names.
    public let hash: String
    /// The kind of model, such as "audioldm2" or "judges".
    public let family: String
    /// What it can be used for.
    public let abilities: [ModelAbility]
    /// The networks, in the order of the file.
    public let components: [Component]
    /// Tokenizers, scheduler, licence and list of words, in bytes.
    public let blobs: [String: Int]
    /// The kinds of sounds that the model was trained on; empty if its checkpoint does not say, as published ones don't.
    public let classes: [SoundClass]
    /// How its sounds are made unless told otherwise.
    public let defaults: ModelDefaults
    /// How its 8-bit weights were fitted to what they read; nil if they were not.
    public let calibration: CalibrationReport?
    /// Where the model comes from and how it was converted, in the file's order.
    public let provenance: [Note]

    /// Reads a model file's index and its list of classes.
    /// - Throws: `AudioLDM2Error` for a file that is missing, damaged or foreign.
    public init(modelAt path: String) throws {
        self = try AudioLDM2Error.translating { try ModelInspection(ModelFile(opening: path)) }
    }

    /// Reads a model file whole and compares every part with its checksum.
    /// - Parameter progress: hears how much has been read, 0…1.
    /// - Throws: `AudioLDM2Error` that names the damaged tensor and its place in the file.
    public static func check(modelAt path: String, progress: @Sendable (Double) -> Void = { _ in }) throws {
        try AudioLDM2Error.translating {
            try Pack(opening: path).check { done, total in progress(Double(done) / Double(max(total, 1))) }
        }
    }

    private init(_ file: ModelFile) throws {
        let pack = file.pack
        path = pack.path
        family = file.family.name
        abilities = file.abilities
        fileBytes = pack.fileByteCount
        hash = pack.contentHash
        components = pack.components.map(Component.init)
        blobs = Dictionary(uniqueKeysWithValues: pack.blobs.map { ($0.name, $0.byteCount) })
        classes = file.vocabulary?.classes ?? []
        defaults = file.defaults
        calibration = try pack.calibration()
        provenance = pack.provenance.map { Note(key: $0.key, value: $0.value) }
    }
}

extension ModelInspection.Component {
    fileprivate init(_ component: PackComponent) {
        name = component.name
        className = component.className
        tensors = component.tensors.map(ModelInspection.TensorEntry.init)
        parameters = component.tensors.reduce(0) { $0 + $1.description.role.shape.count }
        storedBytes = tensors.reduce(0) { $0 + $1.storedBytes }
        bytes = tensors.reduce(0) { $0 + $1.bytes }
        parametersByFormat = component.tensors.reduce(into: [:]) { counts, tensor in
            counts["\(tensor.description.format)", default: 0] += tensor.description.role.shape.count
        }
    }
}

extension ModelInspection.TensorEntry {
    fileprivate init(_ tensor: PackTensor) {
        name = tensor.name
        shape = tensor.description.role.shape.extents
        format = "\(tensor.description.format)"
        activations = "\(tensor.description.activation)"
        bytes = tensor.byteCount
        storedBytes = tensor.storedByteCount
        chunks = tensor.chunkCount
        compressed = tensor.isCompressed
    }
}

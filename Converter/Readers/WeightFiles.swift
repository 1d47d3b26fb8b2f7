import Checkpoints
import Files

/// The files of weights in the folder of one component, by the names that diffusers and transformers give them:
/// `model.safetensors`, `model.VARIANT.safetensors`, and an index of several: `model.safetensors.index.VARIANT.json`.
struct WeightFiles {
    private let folder: String
    /// The folder, for messages.
    private let name: String
    private let files: [String]

    /// What a file's name says.
    private struct Place {
        let file: String
        let stem: String
        /// Empty for none.
        let variant: String
        let format: String
        let isIndex: Bool
    }

    /// The names by their formats, the preferred ones first.
    private static let stems = [
        (format: "safetensors", stems: ["diffusion_pytorch_model", "model"]),
        (format: "bin", stems: ["diffusion_pytorch_model", "pytorch_model"]),
    ]
    /// Those that say nothing but how numbers are stored. Of other ones (`non_ema`) it takes one to know which is meant.
    private static let plainVariants = ["", "fp32", "fp16", "bf16"]
    /// How the names of weights end that only other programs read.
    private static let foreignFormats = ["msgpack", "h5", "onnx", "onnx_data", "gguf", "ot", "xml"]

    /// - Throws: `CheckpointError.unreadable` for a folder that is there and cannot be listed.
    init(folder: String, name: String) throws {
        self.folder = folder
        self.name = name
        do {
            files = try FileName.contents(ofFolder: folder).sorted()
        } catch let error as FileError {
            guard !FileName.isFolder(folder) else { throw CheckpointError.unreadable(path: name, reason: error.reason) }
            files = []
        }
    }

    /// Opens the weights: without a variant if they are there, else of one that is stored otherwise, else the only other.
    /// - Throws: `CheckpointError`, which names what is there instead.
    func open() throws -> any CheckpointSource {
        let places = files.compactMap(Self.place)
        let others = Set(places.map(\.variant)).subtracting(Self.plainVariants)
        let variants = Self.plainVariants + (others.count == 1 ? Array(others) : [])
        for (format, stems) in Self.stems {
            for variant in variants {
                for stem in stems {
                    let found = places.filter { ($0.format, $0.variant, $0.stem) == (format, variant, stem) }
                    if let place = found.first(where: { !$0.isIndex }) ?? found.first { return try open(place) }
                }
            }
        }
        throw missing(others: places.map(\.file))
    }

    private func open(_ place: Place) throws -> any CheckpointSource {
        place.isIndex
            ? try ShardedCheckpoint(folder: folder, index: place.file, name: name)
            : try CheckpointFile.open(path: "\(folder)/\(place.file)", name: "\(name)/\(place.file)")
    }

    private static func place(_ file: String) -> Place? {
        var parts = file.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let stem = parts.removeFirst()
        let isIndex = parts.count >= 3 && parts[1] == "index" && parts.last == "json"
        let format = isIndex ? parts[0] : parts.last
        // One of several files has its number in its stem or behind its variant.
        let variant = (isIndex ? parts[2...] : parts[...]).dropLast().joined(separator: ".")
        guard let format, stems.contains(where: { $0.format == format && $0.stems.contains(stem) }),
            !variant.contains("-of-")
        else { return nil }
        return Place(file: file, stem: stem, variant: variant, format: format, isIndex: isIndex)
    }

    /// - Parameter others: variants of which none is to be preferred.
    private func missing(others: [String]) -> CheckpointError {
        let path = "\(name)/model.safetensors (or diffusion_pytorch_model.safetensors, or either as .bin)"
        if !others.isEmpty {
            return .missing(
                path: path,
                remedy: "there are only variants, \(list(others)): rename the one that is meant, without its variant")
        }
        let formats = Self.stems.map(\.format) + Self.foreignFormats
        let strangers = files.filter { file in formats.contains { file.hasSuffix(".\($0)") } }
        guard strangers.isEmpty else {
            return .missing(
                path: path, remedy: "there is only \(list(strangers)), under names or in formats that are not read")
        }
        return .missing(path: path, remedy: "copy or download the weights of this component")
    }

    private func list(_ files: [String]) -> String {
        let shown = 4
        let rest = files.count > shown ? " and \(files.count - shown) more" : ""
        return files.prefix(shown).joined(separator: ", ") + rest
    }
}

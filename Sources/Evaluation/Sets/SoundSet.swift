import Files
import FoundationEssentials

/// Sounds to evaluate, as files on disk: those of a folder, or those that a `batch` manifest says were made.
public struct SoundSet: Sendable, Equatable {
    /// A sound file.
    public struct Item: Sendable, Equatable {
        /// The file's name without its folder and extension: sounds of the same name pair.
        public let name: String
        /// Where it lies.
        public let path: String
        /// What the sound was made of, if a manifest says it.
        public let prompt: String?

        /// A sound whose name is that of its file.
        public init(path: String, prompt: String? = nil) {
            (self.path, self.prompt) = (path, prompt)
            let last = path.split(separator: "/").last.map(String.init) ?? path
            name = last.lastIndex(of: ".").map { $0 == last.startIndex ? last : String(last[..<$0]) } ?? last
        }
    }

    /// As it was given.
    public let path: String
    /// By name.
    public let items: [Item]

    /// What libsndfile reads, by extension.
    private static let extensions: Set = [
        "wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "caf", "w64", "rf64", "wave",
    ]
    private static let manifestLimit = 1 << 30

    /// A set of known files; nothing is read.
    public init(path: String, items: [Item]) { (self.path, self.items) = (path, items) }

    /// - Parameter path: a folder, whose sub-folders are not looked into, or a manifest's file (`.jsonl`). Prompts come from manifests;
    ///   those of a folder's own are read too.
    /// - Throws: `EvaluationError` for what is neither, or has no sounds, or two of one name.
    public init(_ path: String) throws {
        self.path = path
        if FileName.isFolder(path) {
            items = try Self.items(ofFolder: path)
        } else if path.lowercased().hasSuffix(".jsonl") {
            items = try Self.entries(of: path, folder: FileName.folder(of: path))
        } else if FileName.exists(path) {
            throw EvaluationError.set(
                "\(path): one file is no set; name a folder of sounds, a batch's manifest.jsonl, or a .stats file")
        } else {
            throw EvaluationError.set("\(path): there is no such folder or file")
        }
        guard !items.isEmpty else {
            throw EvaluationError.set("\(path): holds no sounds (wav, flac, ogg, mp3 …); name a folder that does")
        }
        var paths: [String: String] = [:]
        for item in items {
            if let other = paths.updateValue(item.path, forKey: item.name) {
                throw EvaluationError.set("\(other) and \(item.path) have one name, by which sounds pair; rename one")
            }
        }
    }

    private static func items(ofFolder path: String) throws -> [Item] {
        let names: [String]
        do {
            names = try FileName.contents(ofFolder: path).sorted()
        } catch let error as FileError {
            throw EvaluationError.set("\(path): cannot be read: \(error.reason.lowercased())")
        }
        var prompts: [String: String] = [:]
        for name in names where name.hasPrefix("manifest") && name.hasSuffix(".jsonl") {
            for item in try entries(of: path + "/" + name, folder: path) { prompts[item.path] = item.prompt }
        }
        return names.filter { name in
            !name.hasPrefix(".")
                && extensions.contains(name.split(separator: ".").last.map { $0.lowercased() } ?? "")
        }.map { Item(path: path + "/" + $0, prompt: prompts[path + "/" + $0]) }
    }

    private struct Entry: Decodable {
        struct Record: Decodable { let prompt: String? }
        let status: String
        let output: String?
        let record: Record?
    }

    /// What a manifest says was made; a later line of the same file counts. Lines that are no entries are passed over, as the
    /// batch itself does with the last line of a run that was killed.
    private static func entries(of path: String, folder: String) throws -> [Item] {
        let bytes = try EvaluationFile.contents(of: path, limit: manifestLimit)
        var items: [String: Item] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)), entry.status == "made",
                let output = entry.output
            else { continue }
            items[output] = Item(path: folder + "/" + output, prompt: entry.record?.prompt)
        }
        return items.values.sorted { $0.path < $1.path }
    }
}

/// The sounds of two sets that have the same name.
public struct SoundPairs: Sendable, Equatable {
    /// Numbers of items of both sets.
    public let pairs: [(first: Int, second: Int)]
    /// Names that only one of the sets has.
    public let unpaired: [String]
    /// The smaller share of the sets' sounds that are paired.
    public let share: Double

    /// Pairs of equal names, in the first set's order.
    public init(_ first: [String], _ second: [String]) {
        let places = Dictionary(second.enumerated().map { ($1, $0) }) { earlier, _ in earlier }
        pairs = first.enumerated().compactMap { place, name in places[name].map { (place, $0) } }
        let common = Set(pairs.map { first[$0.first] })
        unpaired = (first + second).filter { !common.contains($0) }
        share = Double(pairs.count) / Double(max(first.count, second.count, 1))
    }

    /// Whether both pair the same items.
    public static func == (a: Self, b: Self) -> Bool {
        a.unpaired == b.unpaired && a.share == b.share && a.pairs.elementsEqual(b.pairs, by: ==)
    }
}

import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport
import WeightFile

/// A small checkpoint in the published layout, and damaged copies of it.
struct CheckpointFixture {
    static let names = ["tiny", "tiny-large"]

    let path: String

    init(_ name: String) { path = Fixtures.folder("Checkpoints").appendingPathComponent(name).path }

    /// A copy that shares all files but `changed`, which are real copies.
    func copy(to folder: TemporaryFolder, changed: [String] = []) throws -> CheckpointFixture {
        let manager = FileManager.default
        let target = folder.path + "/checkpoint"
        for file in try manager.subpathsOfDirectory(atPath: path) {
            var isFolder: ObjCBool = false
            _ = manager.fileExists(atPath: "\(path)/\(file)", isDirectory: &isFolder)
            if isFolder.boolValue {
                try manager.createDirectory(atPath: "\(target)/\(file)", withIntermediateDirectories: true)
            } else {
                try manager.createDirectory(
                    atPath: URL(fileURLWithPath: "\(target)/\(file)").deletingLastPathComponent().path,
                    withIntermediateDirectories: true)
                if changed.contains(file) {
                    try manager.copyItem(atPath: "\(path)/\(file)", toPath: "\(target)/\(file)")
                } else {
                    try manager.createSymbolicLink(
                        atPath: "\(target)/\(file)", withDestinationPath: "\(path)/\(file)")
                }
            }
        }
        return CheckpointFixture(path: target)
    }

    private init(path: String) { self.path = path }

    /// Replaces text of a file that was copied, by text of the same length in binary files.
    func replace(_ old: String, by new: String, in file: String) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)"))
        guard let range = data.range(of: Data(old.utf8)) else { throw CocoaError(.fileReadCorruptFile) }
        data.replaceSubrange(range, with: Data(new.utf8))
        try data.write(to: URL(fileURLWithPath: "\(path)/\(file)"))
    }

    func convert(_ options: ConversionOptions, to output: String) throws -> ConversionSummary {
        try CheckpointConverter(DiffusersFolder(path: path), options).convert(to: output)
    }

    /// A tensor as the checkpoint has it.
    func values(_ component: String, _ key: String) throws -> [Float] {
        let tensor = try DiffusersFolder(path: path).weights(of: component).open(key)
        var values = [Float](repeating: 0, count: tensor.shape.count)
        try values.withUnsafeMutableBufferPointer { try tensor.read(0..<$0.count, into: $0) }
        return values
    }
}

/// Every weight of a pack, as stored.
struct StoredWeights {
    struct Weight {
        let description: WeightDescription
        let bytes: [UInt8]

        var values: [Float] { Unpacking.values(bytes, description.role, description.format) }
    }

    let pack: Pack
    private(set) var weights: [String: Weight] = [:]

    init(path: String) throws {
        pack = try Pack(opening: path)
        for component in pack.components {
            let source = try PackSource(pack, component: component.name, backend: HostBackend(), threads: 2)
            for tensor in component.tensors {
                let requirement = WeightRequirement(
                    path: tensor.name, role: tensor.description.role, precision: .full)
                guard let held = try source.weight(requirement) as? HeldWeight else { continue }
                weights["\(component.name).\(tensor.name)"] = Weight(
                    description: held.description, bytes: try held.bytes())
            }
        }
    }
}

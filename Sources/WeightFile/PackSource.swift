import Synchronization
import Tensors

/// The weights of one component of a pack, for one backend.
///
/// All chunks are checked, and compressed ones decompressed, when the source is made, but for those that are streamed;
/// uncompressed tensors are used in place. A weight's memory belongs to the weight: it goes when the source and the model
/// that asked for it are gone.
package final class PackSource: WeightSource {
    private enum Slot {
        case loaded(any WeightData)
        case prepared(any Weight)
    }

    private let path: String
    private let component: PackComponent
    package var descriptions: [WeightDescription] { component.descriptions }
    private let backend: any Backend
    private let slots: Mutex<[String: Slot]>

    /// Loads a component.
    /// - Parameter threads: how many threads check and decompress.
    /// - Throws: `PackError`: `missingComponent`, `damaged`, `outOfMemory`; `CancellationError` if the task is cancelled.
    package init(
        _ pack: Pack, component name: String, backend: any Backend, threads: Int,
        residency: WeightResidency = .resident
    ) throws {
        path = pack.path
        component = try pack.requiredComponent(name)
        self.backend = backend
        slots = Mutex(try Self.data(of: component, in: pack, threads, residency).mapValues(Slot.loaded))
    }

    /// The weight of a path. Asked again, it returns the same object.
    /// - Throws: `PackError`: `missingTensor`, `wrongShape`; what the backend throws.
    package func weight(_ requirement: WeightRequirement) throws -> any Weight {
        try slots.withLock { slots in
            let weight: any Weight
            switch slots[requirement.path] {
            case .prepared(let found):
                weight = found
                try check(found.description, against: requirement)
            case .loaded(let data):
                try check(data.description, against: requirement)
                weight = try backend.prepare(data)
                slots[requirement.path] = .prepared(weight)
            case nil:
                throw missing(requirement)
            }
            return weight
        }
    }

    /// Tensors that nobody has asked for, in the order of the file.
    package func unusedTensors() -> [String] {
        slots.withLock { slots in
            component.tensors.map(\.name).filter { name in
                if case .loaded = slots[name] { true } else { false }
            }
        }
    }

    private func check(_ description: WeightDescription, against requirement: WeightRequirement) throws {
        guard description.role == requirement.role else {
            throw PackError.wrongShape(
                path: path, tensor: component.label(of: requirement.path), expected: requirement.role.summary,
                found: description.role.summary)
        }
    }

    private func missing(_ requirement: WeightRequirement) -> PackError {
        let parent = requirement.path.parentPath
        return .missingTensor(
            path: path, tensor: component.label(of: requirement.path), expected: requirement.role.summary,
            siblings: component.tensors.map(\.name).filter { $0.parentPath == parent })
    }
}

// MARK: - Loading

extension PackSource {
    /// A tensor on its way into memory; without memory it is used in place.
    private struct Load: Sendable {
        let tensor: PackTensor
        let label: String
        let memory: AlignedMemory?
    }

    private static func data(
        of component: PackComponent, in pack: Pack, _ threads: Int, _ residency: WeightResidency
    ) throws -> [String: any WeightData] {
        switch residency {
        case .resident:
            return try load(component.tensors, of: component, in: pack, threads: threads)
        case .streamed(let plan):
            return try stream(component, in: pack, threads, plan)
        case .planned(let uses):
            let largest = component.tensors.reduce(0) { max($0, $1.byteCount) }
            guard let zeros = ZeroMemory(byteCount: largest) else {
                throw PackError.outOfMemory(path: pack.path, part: "a plan", bytes: largest)
            }
            return byName(component.tensors) { tensor in
                PlannedWeightData(
                    tensor.description, name: component.label(of: tensor.name), key: tensor.name, zeros: zeros,
                    uses: uses)
            }
        }
    }

    private static func byName(
        _ tensors: [PackTensor], _ data: (PackTensor) throws -> any WeightData
    ) rethrows -> [String: any WeightData] {
        Dictionary(uniqueKeysWithValues: try tensors.map { ($0.name, try data($0)) })
    }

    /// Tables a chunk at a time, the plan's weights ahead of their use, all others as ever.
    private static func stream(
        _ component: PackComponent, in pack: Pack, _ threads: Int, _ plan: WeightStreaming
    ) throws -> [String: any WeightData] {
        let streamed = component.tensors.filter { plan.streamed.contains($0.name) && $0.isStreamable }
        let moving = streamed.filter { !$0.isPaged }
        let staying = component.tensors.filter { !plan.streamed.contains($0.name) || !$0.isStreamable }
        let byNames = Dictionary(uniqueKeysWithValues: moving.map { ($0.name, $0) })
        let stream = try WeightStream(byNames, of: component, in: pack, plan)
        var data = try load(staying, of: component, in: pack, threads: threads)
        for tensor in streamed {
            let label = component.label(of: tensor.name)
            data[tensor.name] =
                try tensor.isPaged
                ? PagedTableData(tensor, name: label, in: pack)
                : stream.data(of: tensor.name, tensor, label: label)
        }
        return data
    }

    private static func load(
        _ tensors: [PackTensor], of component: PackComponent, in pack: Pack, threads: Int
    ) throws -> [String: any WeightData] {
        let loads = try tensors.map { tensor in
            Load(
                tensor: tensor, label: component.label(of: tensor.name),
                memory: tensor.isCompressed
                    ? try memory(for: tensor, label: component.label(of: tensor.name), pack) : nil)
        }
        let chunks = loads.indices.flatMap { load in loads[load].tensor.storage.chunks.indices.map { (load, $0) } }
        let readers = try ChunkReader.several(threads, for: pack)
        try forEachInParallel(chunks.count, contexts: readers) { item, reader in
            let (load, chunk) = (loads[chunks[item].0], chunks[item].1)
            let storage = load.tensor.storage
            guard let memory = load.memory else {
                try reader.verified(chunk, of: storage, label: load.label, description: load.tensor.description)
                return
            }
            let start = chunk * PackFormat.chunkByteCount
            let destination = memory.bytes[start..<start + storage.chunks[chunk].byteCount]
            try reader.decompress(
                chunk, of: storage, label: load.label, description: load.tensor.description,
                into: UnsafeMutableRawBufferPointer(rebasing: destination))
        }
        return Dictionary(uniqueKeysWithValues: loads.map { ($0.tensor.name, data(of: $0, in: pack)) })
    }

    private static func memory(for tensor: PackTensor, label: String, _ pack: Pack) throws -> AlignedMemory {
        guard let memory = AlignedMemory(byteCount: tensor.byteCount) else {
            throw PackError.outOfMemory(path: pack.path, part: label, bytes: tensor.byteCount)
        }
        return memory
    }

    private static func data(of load: Load, in pack: Pack) -> any WeightData {
        if let memory = load.memory {
            return ResidentWeightData(load.tensor.description, name: load.label, memory: memory)
        }
        let start = load.tensor.storage.offset
        return MappedWeightData(
            load.tensor.description, name: load.label, file: pack.file, range: start..<start + load.tensor.byteCount)
    }
}

extension String {
    /// A path without its last name: `down.0` of `down.0.weight`.
    fileprivate var parentPath: Substring { self[..<(lastIndex(of: ".") ?? startIndex)] }
}

import FoundationEssentials
import Tensors

/// The first GPU that computes what the CPU does, and why those before it, or all, are passed by.
package struct GPUSearch {
    package private(set) var found: CUDABackend?
    private var failures: [(ordinal: Int?, error: any Error)] = []

    /// - Parameters:
    ///   - neededBytes: what a device must have free to be of any use.
    ///   - cacheFolder: for compiled kernels; nil for the user's.
    ///   - notice: is told what takes long, before it begins.
    ///   - reference: makes what is known to compute right.
    package init(
        neededBytes: Int = 0, libraries: CUDALibraryPaths = .init(), cacheFolder: URL? = nil,
        notice: ((String) -> Void)? = nil, reference: () throws -> any Backend
    ) {
        do {
            for ordinal in 0..<(try CUDADevice.count(libraries)) {
                do {
                    let device = try CUDADevice(
                        ordinal, libraries: libraries, cacheFolder: cacheFolder, notice: notice)
                    let available = try device.memory().available
                    guard available >= neededBytes + CUDADevice.reserve else {
                        throw CUDAError.full(
                            device: device.product, availableBytes: available,
                            neededBytes: neededBytes + CUDADevice.reserve)
                    }
                    found = try CUDABackend(checking: device, against: reference)
                    return
                } catch {
                    failures.append((ordinal, error))
                }
            }
        } catch {
            failures.append((nil, error))
        }
    }

    /// Why the first GPU, or any, does not compute, where nothing is wrong: there is none that could.
    package var note: String? { found == nil && hasWarnings ? nil : text(where: { !Self.isWarning($0) }) }

    /// Why a GPU that could compute does not.
    package var warning: String? { text(where: Self.isWarning) }

    private var hasWarnings: Bool { failures.contains { Self.isWarning($0.error) } }

    private static func isWarning(_ error: any Error) -> Bool { (error as? CUDAError)?.meansNoGPU != true }

    private func text(where isMeant: (any Error) -> Bool) -> String? {
        let meant = failures.filter { isMeant($0.error) }
        guard let first = meant.first else { return nil }
        func reason(_ error: any Error) -> String { (error as? CUDAError)?.reasonToPassBy ?? "\(error)" }
        if found == nil { return "computing on the CPU: " + reason(first.error) }
        return meant.map { failure in
            (failure.ordinal.map { "not computing on cuda:\($0): " } ?? "") + reason(failure.error)
        }.joined(separator: "; ")
    }
}

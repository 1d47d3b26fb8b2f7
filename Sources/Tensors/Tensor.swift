/// A dense float32 activation that lives wherever its backend computes.
///
/// A tensor is a view: contiguous elements of a storage from an offset on. Storage returns to the backend's pool when
/// the last tensor on it goes away, so a forward pass written as plain expressions reuses the same few buffers.
package struct Tensor: Sendable {
    package let shape: Shape
    package let storage: any TensorStorage
    /// First element of the view, in elements.
    package let offset: Int

    package init(shape: Shape, storage: any TensorStorage, offset: Int = 0) {
        self.shape = shape
        self.storage = storage
        self.offset = offset
    }

    package var backend: any Backend { storage.backend }
}

/// Memory that a backend owns.
package protocol TensorStorage: AnyObject, Sendable {
    var backend: any Backend { get }
    var byteCount: Int { get }
}

extension Tensor {
    /// The same elements under another shape.
    /// - Throws: `TensorError.shapeMismatch` if the number of elements differs.
    package func reshaped(_ newShape: Shape) throws -> Tensor {
        guard newShape.count == shape.count else {
            throw TensorError.shapeMismatch(operation: "reshape", expected: "\(shape.count) elements", found: newShape)
        }
        return Tensor(shape: newShape, storage: storage, offset: offset)
    }

    /// Rows `range` of the outermost axis, without a copy.
    /// - Throws: `TensorError.shapeMismatch` if the range is outside of the tensor.
    package func outermost(_ range: Range<Int>) throws -> Tensor {
        guard shape.rank > 0, range.lowerBound >= 0, range.upperBound <= shape[0] else {
            throw TensorError.shapeMismatch(
                operation: "slice \(range)", expected: "a range inside axis 0", found: shape)
        }
        var sliced = shape
        sliced[0] = range.count
        return Tensor(
            shape: sliced, storage: storage, offset: offset + range.lowerBound * (shape.count / max(shape[0], 1)))
    }
}

package enum TensorError: Error, CustomStringConvertible, Sendable, Equatable {
    case shapeMismatch(operation: String, expected: String, found: Shape)
    case foreignStorage(operation: String)
    case outOfMemory(bytes: Int)
    case missingLibrary(name: String, package: String)

    package var description: String {
        switch self {
        case .shapeMismatch(let operation, let expected, let found):
            "\(operation): expected \(expected), found shape \(found)"
        case .foreignStorage(let operation):
            "\(operation): a tensor or weight belongs to another backend"
        case .outOfMemory(let bytes):
            "not enough memory: \(bytes) bytes could not be allocated"
        case .missingLibrary(let name, let package):
            "\(name) could not be loaded; install the Debian package \(package)"
        }
    }
}

import CKernels
import Tensors

/// The parts of an int8 product weight.
package struct PackedInt8 {
    package let tiles: UnsafePointer<Int8>
    package let scales: UnsafePointer<Float>
    package let sums: UnsafePointer<Int32>
    package let layout: Int8Layout
    package let taps: Int

    /// - Returns: nil if the bytes are fewer than the role needs.
    package init?(_ bytes: UnsafeRawBufferPointer, role: WeightRole) {
        layout = Int8Layout(role: role)
        taps = role.taps
        guard bytes.count >= layout.byteCount, let base = bytes.baseAddress else { return nil }
        tiles = base.assumingMemoryBound(to: Int8.self)
        scales = (base + layout.scalesOffset).assumingMemoryBound(to: Float.self)
        sums = (base + layout.sumsOffset).assumingMemoryBound(to: Int32.self)
    }
}

/// A product weight's rows as floats, wherever they are stored: the float path's view of any format.
package struct FloatRows {
    private let bytes: UnsafeRawBufferPointer
    private let description: WeightDescription
    private let packed: PackedInt8?
    /// Values per row: taps × inputs.
    package let width: Int

    package init(_ bytes: UnsafeRawBufferPointer, _ description: WeightDescription) {
        self.bytes = bytes
        self.description = description
        width = description.role.taps * description.role.inputs
        packed = description.format == .int8 ? PackedInt8(bytes, role: description.role) : nil
    }

    /// True if rows have to be expanded before use.
    package var isCompact: Bool { description.format != .float32 }

    /// Rows `range`: in place if they are float32, else expanded into `scratch`, which has room for them.
    package func rows(
        _ range: Range<Int>, scratch: UnsafeMutablePointer<Float>, _ kernels: CKernels.kernels
    ) -> UnsafePointer<Float>? {
        guard let base = bytes.baseAddress else { return nil }
        switch description.format {
        case .float32:
            return base.assumingMemoryBound(to: Float.self) + range.lowerBound * width
        case .float16:
            kernels.expand_f16(
                base.assumingMemoryBound(to: UInt16.self) + range.lowerBound * width, range.count * width, scratch)
        case .int8:
            guard let packed else { return nil }
            kernels.expand_tiles(
                packed.tiles, packed.scales, description.role.taps, description.role.inputs,
                packed.layout.paddedInputs, range.lowerBound, range.count, scratch)
        }
        return UnsafePointer(scratch)
    }
}

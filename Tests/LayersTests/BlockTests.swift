import Tensors
import TestSupport
import Testing

/// Each kind of block by itself, against what the reference's own made of the same input: a block that is broken is named here
/// before a whole network is.
@Suite struct BlockTests {
    /// What rounding may make of float32 products and sums.
    private static let tolerance = 1e-5

    @Test(arguments: Block.all)
    func computesWhatTheReferenceDoes(block: Block) throws {
        let error = try block.error(.float32)
        #expect(error <= Self.tolerance, "\(block.name) is \(error) off the reference's")
    }

    @Test(arguments: Block.all)
    func staysNearItInEightBits(block: Block) throws {
        let error = try block.error(.int8)
        #expect(error <= block.int8Error, "\(block.name) is \(error) off the reference's in int8")
    }

    /// A weight that is a little wrong is seen, so that a block which passes reads every one of its weights.
    @Test(arguments: Block.all)
    func everyWeightCounts(block: Block) throws {
        for requirement in try block.requirements() {
            let error = try block.error(.float32, changed: requirement.path)
            #expect(error > 3 * Self.tolerance, "\(block.name) does not show a wrong \(requirement.path)")
        }
    }

    /// What is recorded is compared, all of it.
    @Test func everyRecordedBlockIsBuilt() throws {
        let names = Block.all.map { $0.name }
        #expect(try RecordedBlock.names() == Set(names) && names.count == Set(names).count)
    }
}

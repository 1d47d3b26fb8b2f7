import CKernels
import KernelChecks
import Testing

/// Every table that this CPU can run, against scalar C where numbers must be equal and against doubles elsewhere.
///
/// The checks themselves are C (`Tests/KernelChecks`), because they also run under an emulator for other CPUs.
@Suite struct KernelTableTests {
    struct Tier: CustomTestStringConvertible {
        let tier: kernels_tier
        let testDescription: String
    }

    struct Check: CustomTestStringConvertible {
        let index: Int
        let testDescription: String
    }

    static let tiers: [Tier] = (KERNELS_SCALAR.rawValue...KERNELS_NEON_I8MM.rawValue).compactMap { value in
        guard let table = kernels_for_tier(kernels_tier(value)) else { return nil }
        return Tier(tier: table.pointee.tier, testDescription: String(cString: table.pointee.name))
    }

    static let checks: [Check] = (0..<kernel_check_count).map { index in
        Check(index: index, testDescription: String(cString: kernel_check_at(index).pointee.name))
    }

    @Test(arguments: tiers, checks)
    func agrees(tier: Tier, check: Check) throws {
        let table = try #require(kernels_for_tier(tier.tier))
        var report = kernel_report()
        kernel_check_at(check.index).pointee.run(table, &report)
        let message = withUnsafeBytes(of: &report.first_failure) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        #expect(report.failures == 0, "\(report.failures) of \(report.comparisons): \(message)")
        #expect(report.comparisons > 1000)
    }

    @Test func scalarIsAlwaysThere() {
        #expect(Self.tiers.contains { $0.tier == KERNELS_SCALAR })
    }
}

import CKernels
import Testing

@Suite struct KernelChoiceTests {
    let best = kernels_for_request(nil)

    @Test func aNamedTableIsChosen() throws {
        for value in KERNELS_SCALAR.rawValue...KERNELS_NEON_I8MM.rawValue {
            guard let table = kernels_for_tier(kernels_tier(value)) else { continue }
            #expect(kernels_for_request(table.pointee.name) == table)
        }
        #expect(try #require(kernels_for_request("scalar")).pointee.tier == KERNELS_SCALAR)
    }

    @Test(arguments: ["", "avx1024", "Scalar", "scalar "])
    func anUnknownNameGivesTheBest(name: String) {
        #expect(kernels_for_request(name) == best)
    }

    @Test func anotherArchitecturesNameGivesTheBest() {
        #if arch(arm64)
            let foreign = ["avx2", "avxvnni", "avx512vnni"]
        #else
            let foreign = ["dotprod", "i8mm"]
        #endif
        for name in foreign { #expect(kernels_for_request(name) == best) }
    }

    @Test func theTableInUseFollowsTheEnvironment() {
        #expect(kernels_current() == kernels_for_request(kernels_requested_name()))
    }

    @Test func everySlotIsFilled() throws {
        for value in KERNELS_SCALAR.rawValue...KERNELS_NEON_I8MM.rawValue {
            guard let table = kernels_for_tier(kernels_tier(value))?.pointee else { continue }
            let slots: [Any?] = [
                table.product_f32, table.product_tiles, table.product_u8s8, table.widen_range, table.quantize_u8,
                table.expand_tiles,
                table.expand_s8,
                table.expand_f16, table.narrow_f16, table.activate, table.gate, table.finish, table.accumulate,
                table.layer_norm, table.rms_norm, table.channel_moments, table.scale_shift, table.softmax,
                table.step_phases, table.winograd_input, table.winograd_weight, table.winograd_output, table.pool,
                table.pack_context, table.attend_u8s8, table.attend_f32,
            ]
            #expect(slots.allSatisfy { $0 != nil })
        }
    }
}

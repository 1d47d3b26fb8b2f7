import ComputeCUDA

/// What a model is computed on.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ComputeDevice: Hashable, Sendable, CustomStringConvertible {
    /// The first of NVIDIA's GPUs that works: its libraries are installed, it is new enough, and it computes what the CPU
    /// does; else the CPU.
    case auto
    /// The processor, whatever GPUs there are.
    case cpu
    /// One of NVIDIA's GPUs, as its driver numbers them, from 0.
    case cuda(Int)

    /// "auto", "cpu", "cuda" or "cuda:1"; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "auto": self = .auto
        case "cpu": self = .cpu
        case "cuda": self = .cuda(0)
        default:
            guard text.hasPrefix("cuda:"), let ordinal = Int(text.dropFirst(5)), (0..<1024).contains(ordinal) else {
                return nil
            }
            self = .cuda(ordinal)
        }
    }

    /// The text that `init(_:)` reads: "auto", "cpu" or "cuda:0".
    public var description: String {
        switch self {
        case .auto: "auto"
        case .cpu: "cpu"
        case .cuda(let ordinal): "cuda:\(ordinal)"
        }
    }

    /// The variable that chooses a device where nothing else does.
    public static let variable = "AUDIOLDM2_DEVICE"

    /// What the variable says, or `.auto`.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` for a variable that names no device.
    static func standard() throws -> ComputeDevice {
        guard let text = environmentVariable(variable) else { return .auto }
        guard let device = ComputeDevice(text) else {
            throw AudioLDM2Error(
                .invalidOption, "\(variable)=\(text): choose auto, cpu, cuda, or cuda:N for one of several")
        }
        return device
    }
}

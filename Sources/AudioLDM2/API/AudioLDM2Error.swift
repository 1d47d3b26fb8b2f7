import Audio
import Checkpoints
import ComputeCUDA
import Diffusion
import FoundationEssentials
import Platform
import Tensors
import Tokenizers
import WeightFile

/// What went wrong, in one sentence that names the file or value and what to do about it.
public struct AudioLDM2Error: LocalizedError, CustomStringConvertible, Sendable, Equatable {
    /// What kind of thing went wrong, for programs that react to it.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Kind: Sendable, Equatable {
        /// The model file is missing, damaged, foreign or made for another version.
        case modelFile
        /// The model's configuration asks for something this version does not do.
        case configuration
        /// An option's value cannot be used.
        case invalidOption
        /// A sound or data file could not be read or written.
        case file
        /// Memory that the work needs and the limit or the machine does not have.
        case outOfMemory
        /// A GPU that was asked for cannot be used, or failed.
        case device
    }

    /// What kind of thing went wrong.
    public let kind: Kind
    /// One sentence that names the file or value and what to do.
    public let description: String
    /// The same, as Foundation asks for it.
    public var errorDescription: String? { description }

    /// An error of a kind, in one sentence.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// An error of the parts below as this one.
    static func translated(_ error: any Error) -> any Error {
        do {
            return try translating { throw error }
        } catch {
            return error
        }
    }

    /// Runs `body`, turning the errors of the parts below into this one; cancellation passes through.
    package static func translating<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as AudioLDM2Error {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch let error as TensorError {
            if case .outOfMemory = error { throw AudioLDM2Error(.outOfMemory, error.description) }
            throw AudioLDM2Error(.modelFile, error.description)
        } catch let error as ThreadError {
            throw AudioLDM2Error(.outOfMemory, error.description)
        } catch let error as CUDAError {
            throw AudioLDM2Error(.device, error.description)
        } catch let error as ConfigError {
            throw AudioLDM2Error(.configuration, error.description)
        } catch let error as SchedulerError {
            throw AudioLDM2Error(.invalidOption, error.description)
        } catch let error as SpeechError {
            throw AudioLDM2Error(.invalidOption, error.description)
        } catch let error as CheckpointError {
            throw AudioLDM2Error(.file, error.description)
        } catch let error as AudioError {
            throw AudioLDM2Error(.file, error.description)
        } catch {
            throw AudioLDM2Error(.modelFile, "\(error)")
        }
    }
}

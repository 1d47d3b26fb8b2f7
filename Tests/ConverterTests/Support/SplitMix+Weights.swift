import Foundation
import TestSupport

extension SplitMix {
    mutating func uniform(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &self) } }

    mutating func normal(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            let radius = (-2 * log(Double.random(in: 1e-300...1, using: &self))).squareRoot()
            return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self)))
        }
    }

    mutating func laplace(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            let magnitude = Float(-log(Double.random(in: 1e-300...1, using: &self)))
            return Bool.random(using: &self) ? magnitude : -magnitude
        }
    }
}

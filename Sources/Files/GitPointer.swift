/// What Git LFS leaves in a file's place until the file itself is fetched.
package enum GitPointer {
    /// The first bytes of one.
    package static let signature = Array("version https://git-lfs".utf8)

    /// More than one ever has, in bytes.
    package static let sizeLimit = 1024

    /// What to say of one, after the name of the file.
    package static let message =
        "is a Git LFS pointer, which only stands for the file; fetch the file itself (git lfs pull)"

    /// Whether a file of so many bytes that starts like this is one.
    package static func isOne(_ start: some Collection<UInt8>, size: Int) -> Bool {
        size <= sizeLimit && start.starts(with: signature)
    }
}

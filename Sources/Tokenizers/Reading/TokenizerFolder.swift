import Files
import FoundationEssentials
import Glibc
import Text

/// The files of one published tokenizer.
struct TokenizerFolder {
    /// The largest published one is 2.4 MB.
    private static let maximumSize = 64 << 20

    let url: URL

    func has(_ name: String) -> Bool { FileName.exists(path(name)) }

    /// The bytes of a file, nil if there is none of that name.
    func bytes(_ name: String) throws(TokenizerError) -> [UInt8]? {
        let file = path(name)
        do {
            let bytes = try RegularFile.contents(of: file, limit: Self.maximumSize)
            guard !GitPointer.isOne(bytes, size: bytes.count) else { throw TokenizerError.pointer(file: file) }
            return bytes
        } catch let error as TokenizerError {
            throw error
        } catch let error as FileError where error.code == ENOENT {
            return nil
        } catch {
            throw .unreadable(file: file, reason: (error as? FileError)?.reason ?? "\(error)")
        }
    }

    func json(_ name: String) throws(TokenizerError) -> JSONField? {
        guard let bytes = try bytes(name) else { return nil }
        let field = JSONField(file: path(name), value: try JSONValue(parsing: bytes, file: path(name)))
        guard case .object = field.value else { throw field.invalid("expected an object") }
        return field
    }

    /// Relative where the folder is: the current folder's name need not be a text.
    func path(_ name: String) -> String { url.relativePath + "/" + name }
}

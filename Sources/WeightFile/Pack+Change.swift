extension Pack {
    /// Of the file, before something of it is used.
    package var stamp: FileStamp? { file.stamp }

    /// Checks a component again if somebody has written to the file meanwhile. Raw weights are checked once and then used in
    /// place: what is computed of others would be silently wrong.
    /// - Parameter stamp: taken before the component was loaded.
    /// - Returns: the file's stamp at which it was found to be what it was.
    /// - Throws: `PackError`: `changedInUse`, `outOfMemory`.
    @discardableResult
    package func requireUnchanged(_ component: String, since stamp: FileStamp?) throws -> FileStamp? {
        let now = file.stamp
        guard now != stamp else { return now }
        guard now?.byteCount == fileByteCount else { throw PackError.changedInUse(path: path, part: "its length") }
        let component = try requiredComponent(component)
        let reader = try ChunkReader(self)
        for tensor in component.tensors {
            let label = component.label(of: tensor.name)
            do {
                for chunk in tensor.storage.chunks.indices {
                    _ = try reader.contents(
                        of: chunk, in: tensor.storage, label: label, description: tensor.description)
                }
            } catch is PackError {
                throw PackError.changedInUse(path: path, part: label)
            }
        }
        return now
    }
}

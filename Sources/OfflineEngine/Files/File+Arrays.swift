// Reading and writing whole arrays, for everything that isn't a hot path.

extension File {
    /// The bytes from `offset`, fewer than `count` only at the file's end. `count` is bounded by what the file holds
    /// before anything is allocated.
    package func readArray(count: Int, at offset: UInt64) throws(FileSystemError) -> [UInt8] {
        let size = try self.size()
        guard offset < size, count > 0 else { return [] }
        let wanted = Int(min(UInt64(count), size - offset))
        var bytes = [UInt8](repeating: 0, count: wanted)
        var failure: FileSystemError?
        var done = 0
        unsafe bytes.withUnsafeMutableBytes {
            do throws(FileSystemError) { done = try unsafe read(into: $0, at: offset) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        if done < wanted { bytes.removeLast(wanted - done) }
        return bytes
    }

    package func write(_ bytes: [UInt8], at offset: UInt64) throws(FileSystemError) {
        var failure: FileSystemError?
        unsafe bytes.withUnsafeBytes {
            do throws(FileSystemError) { try unsafe write($0, at: offset) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

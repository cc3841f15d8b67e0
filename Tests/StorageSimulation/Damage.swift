// Damage to bytes at rest, and what else a test does to a disk behind the back of who uses it. Nothing here counts as a
// call, fires a fault or runs a hook; everything is durable at once, and open maps see it.
package import OfflineEngine

extension SimulatedFileSystem {
    /// All files, sorted by path.
    package var filePaths: [String] { withDisk { $0.files().map(\.path) } }

    /// What a file holds now.
    package func bytes(of path: String) throws(FileSystemError) -> [UInt8] {
        try withDisk { disk throws(FileSystemError) in
            try disk.file(FileCall(.read, path)).content.written
        }
    }

    /// Gives a file other bytes; creates it where there is none.
    package func setBytes(of path: String, _ bytes: [UInt8]) throws(FileSystemError) {
        try withDisk { disk throws(FileSystemError) in
            let call = FileCall(.write, path)
            let isNew = try disk.entry(call) == nil
            let node = isNew ? try disk.createFile(call) : try disk.file(call)
            disk.setBytes(of: node, bytes)
            disk.makeNamesDurable()
        }
    }

    /// Changes a file's bytes as `change` does.
    package func damage(
        _ path: String, _ change: (inout [UInt8]) -> Void
    ) throws(FileSystemError) {
        try withDisk { disk throws(FileSystemError) in
            let node = try disk.file(FileCall(.write, path))
            var bytes = node.content.written
            change(&bytes)
            disk.setBytes(of: node, bytes)
        }
    }

    /// Flips one bit; `bit` counts from the lowest of the first byte.
    package func flipBit(_ bit: Int, of path: String) throws(FileSystemError) {
        try damage(path) { bytes in
            if bytes.indices.contains(bit / 8) { bytes[bit / 8] ^= 1 << UInt8(bit % 8) }
        }
    }

    /// Zeroes what the range and the file have in common.
    package func zero(_ range: Range<Int>, of path: String) throws(FileSystemError) {
        try damage(path) { bytes in
            for index in range.clamped(to: bytes.indices) { bytes[index] = 0 }
        }
    }

    /// Writes a copy of a range over what is at `offset`, as far as both lie in the file: a misdirected or stale write.
    package func duplicate(
        _ range: Range<Int>, to offset: Int, of path: String
    ) throws(FileSystemError) {
        try damage(path) { bytes in
            let copy = bytes[range.clamped(to: bytes.indices)]
            for (index, byte) in zip(offset..., copy) where bytes.indices.contains(index) {
                bytes[index] = byte
            }
        }
    }

    /// Swaps two blocks of one length that lie in the file and don't overlap.
    package func swapBlocks(
        at first: Int, _ second: Int, length: Int, of path: String
    ) throws(FileSystemError) {
        try damage(path) { bytes in
            for index in 0..<length
            where bytes.indices.contains(first + index) && bytes.indices.contains(second + index) {
                bytes.swapAt(first + index, second + index)
            }
        }
    }

    /// Cuts a file off.
    package func cut(_ path: String, to size: Int) throws(FileSystemError) {
        try damage(path) { bytes in bytes = Array(bytes.prefix(max(0, size))) }
    }

    /// Lets every read fail that touches the range: sectors that can't be read any more. Maps still show them.
    package func failReads(
        of path: String, in range: Range<UInt64>,
        error number: Int32 = SystemErrorNumber.inputOutput
    ) throws(FileSystemError) {
        try withDisk { disk throws(FileSystemError) in
            try disk.file(FileCall(.read, path)).badRanges.append((range, number))
        }
    }

    /// Plants a symbolic link; where it leads doesn't matter, since none is followed.
    package func addSymbolicLink(_ path: String) throws(FileSystemError) {
        try withDisk { disk throws(FileSystemError) in
            try disk.create(.symbolicLink, FileCall(.create, path))
            disk.makeNamesDurable()
        }
    }

    /// Whether power could go now without losing anything: no change of bytes or names is pending.
    package var isAllDurable: Bool {
        withDisk { disk in
            disk.pendingNames.isEmpty && disk.files().allSatisfy { $0.node.content.pending.isEmpty }
        }
    }
}

// Reading both slots and writing the other one. Overwritten in place: the one file of a store that is.

/// The SUPERBLOCK file of an open store.
package final class SuperblockFile: Sendable {
    private let file: any File

    private init(file: any File) { self.file = file }

    /// Both slots as they are, newest valid first choice.
    package struct Contents: Equatable {
        package var slots: [Superblock.Reading]

        package var newest: Superblock? {
            slots.compactMap { if case .superblock(let block) = $0 { block } else { nil } }
                .max { $0.generation < $1.generation }
        }

        /// A newer version wrote at least one slot.
        package var unsupportedVersion: UInt32? {
            for case .unsupported(let version) in slots { return version }
            return nil
        }
    }

    /// Reads the file in `folder`; nil where there is none.
    package static func read(
        _ system: any FileSystem, _ folder: String
    ) throws(FileSystemError) -> Contents? {
        let path = system.path(folder, FileNames.superblock)
        guard let information = try system.information(path) else { return nil }
        guard information.kind == .file else {
            return Contents(slots: [.bad("SUPERBLOCK is no file"), .bad("SUPERBLOCK is no file")])
        }
        let file = try system.open(path, .read)
        defer { file.close() }
        var slots: [Superblock.Reading] = []
        for slot in 0..<2 {
            let bytes = try file.readArray(
                count: Superblock.slotSize, at: UInt64(slot * Superblock.slotSize))
            slots.append(unsafe bytes.withUnsafeBytes { unsafe Superblock.read($0, slot: slot) })
        }
        return Contents(slots: slots)
    }

    /// Opens the file for writing, creating it where it is missing.
    package static func open(
        _ system: any FileSystem, _ folder: String
    ) throws(FileSystemError) -> SuperblockFile {
        let path = system.path(folder, FileNames.superblock)
        let exists = try system.information(path) != nil
        return SuperblockFile(file: try system.open(path, exists ? .readWrite : .create))
    }

    /// Writes a superblock to its slot and makes it durable. The caller has made durable what it names.
    package func write(_ superblock: Superblock) throws(FileSystemError) {
        try file.write(superblock.encoded(), at: superblock.slotOffset)
        try file.sync()
    }

    package func close() { file.close() }
}

// The file KEYS in a store's folder: two equal copies of the key envelope, one behind the other.
//
// Every backend has it there, beside its own files and under its lock; a store in memory has none, and keys for as long as it is
// open. It is replaced as a whole: KEYS.new is written and synced, renamed to KEYS, and the folder synced. So after a power cut
// there is the old envelope or the new one, and damage to one copy is no damage to the keys.
internal import OfflineBytes
internal import OfflineEngine

/// Reads and replaces a store's key envelope.
struct KeyFile: Sendable {
    static let name = "KEYS"
    static let newName = "KEYS.new"
    private let folder: StoreFolder

    init(_ folder: StoreFolder) { self.folder = folder }

    /// The envelope; nil where there is none. `.corrupted` where both copies are damaged.
    func read() throws -> KeyEnvelope? {
        guard let bytes = try bytes() else { return nil }
        let length = KeyEnvelope.length
        guard bytes.count == 2 * length else {
            throw OfflineError(
                .corrupted, "KEYS has \(bytes.count) bytes; it has \(2 * length)")
        }
        do throws(OfflineError) {
            return try KeyEnvelope(Array(bytes[..<length]))
        } catch {
            if error.code == .unsupportedFormat { throw error }
            guard let second = try? KeyEnvelope(Array(bytes[length...])) else { throw error }
            return second
        }
    }

    /// Replaces the envelope, durably.
    func write(_ envelope: KeyEnvelope) throws {
        let copy = envelope.encoded
        try io { () throws(FileSystemError) in
            let new = folder.path(Self.newName)
            try writeNew(copy + copy, at: new)
            try folder.system.rename(new, to: folder.path(Self.name))
            try folder.system.syncDirectory(folder.path)
        }
    }

    private func writeNew(_ bytes: [UInt8], at path: String) throws(FileSystemError) {
        let file: any File
        do throws(FileSystemError) { file = try folder.system.open(path, .create) } catch {
            guard error.number == SystemErrorNumber.exists else { throw error }
            try folder.system.remove(path)
            file = try folder.system.open(path, .create)
        }
        defer { file.close() }
        try file.write(bytes, at: 0)
        try file.sync()
    }

    private func bytes() throws -> [UInt8]? {
        try io { () throws(FileSystemError) -> [UInt8]? in
            let file: any File
            do throws(FileSystemError) {
                file = try folder.system.open(folder.path(Self.name), .read)
            } catch {
                if error.number == SystemErrorNumber.noEntry { return nil }
                throw error
            }
            defer { file.close() }
            let size = min(try file.size(), UInt64(2 * KeyEnvelope.length + 1))
            return try file.readArray(count: Int(size), at: 0)
        }
    }
}

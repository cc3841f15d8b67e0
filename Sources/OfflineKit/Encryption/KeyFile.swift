// The file KEYS in a store's folder: two equal copies of the key envelope, one behind the other.
//
//   KEYS       the envelope, twice
//   KEYS.new   being written; counts for nothing
//
// Every backend has it there, beside its own files and under its lock; a store in memory has none, and keys for as long as it is
// open. A replacement: write KEYS.new, sync it, rename it to KEYS, sync the folder, overwrite the old file's bytes.
//
// Invariants:
// - KEYS is never written in place while it counts: until the rename the old envelope is there, whole and durable, and from
//   then on the new one. Damage to one copy is no damage to the keys, and the next writer repairs it.
// - What fails before the rename leaves no trace. What fails from then on has an unknown outcome: reading decides.
// - What a writer has read is durable, also where a replacement ended between rename and sync: else it could seal values with
//   a key that a power cut then takes back.
// - The old envelope's bytes are overwritten once it can't come back, so that a passphrase that is no more is of no use to
//   who finds them in free blocks later. That is as good as the device: one that writes elsewhere keeps what it had. A file that
//   has another name too, a backup's, stays as it is.
internal import OfflineBytes
internal import OfflineEngine

/// Reads and replaces a store's key envelope.
struct KeyFile: Sendable {
    static let name = "KEYS"
    static let newName = "KEYS.new"
    private static let length = 2 * KeyEnvelope.length
    /// How often a file is read that shows no whole copy.
    private static let attempts = 3

    private let folder: StoreFolder
    private var path: String { folder.path(Self.name) }
    private var newPath: String { folder.path(Self.newName) }

    init(_ folder: StoreFolder) { self.folder = folder }

    // MARK: - Reading

    /// The envelope; nil where there is none. One whole copy is enough, whatever else the file has. `.corrupted` where both are damaged.
    /// Changes nothing.
    func read() throws -> KeyEnvelope? { try found()?.envelope }

    /// The same for the one that writes the store and holds its lock: makes what is there durable, and removes what a replacement left that was
    /// cut off.
    func readForWriting() throws -> KeyEnvelope? {
        // It counts for nothing, and the next replacement removes it too.
        try? folder.system.remove(newPath)
        guard let envelope = try read() else { return nil }
        try io { () throws(FileSystemError) in try folder.system.syncDirectory(folder.path) }
        return envelope
    }

    private typealias Found = (envelope: KeyEnvelope, isWhole: Bool)

    private func found() throws -> Found? {
        for _ in 1..<Self.attempts {
            do { return try foundNow() } catch let error as OfflineError
                where error.code == .corrupted
            {
                // It may have been opened just before another one took its name, and read when it was overwritten.
            }
        }
        return try foundNow()
    }

    /// The copies are read one by one: a sector that can't be read is no damage to the other copy.
    private func foundNow() throws -> Found? {
        guard let file = try io({ () throws(FileSystemError) in try open(.read) }) else {
            return nil
        }
        defer { file.close() }
        var copies: [KeyEnvelope] = []
        var failure: (any Error)?
        for offset in [0, KeyEnvelope.length] {
            do {
                let bytes = try io { () throws(FileSystemError) in
                    try file.readArray(count: KeyEnvelope.length, at: UInt64(offset))
                }
                copies.append(try KeyEnvelope(bytes))
            } catch {
                failure = failure ?? error
            }
        }
        guard let envelope = copies.first else {
            throw failure ?? OfflineError(.corrupted, "KEYS has no copy of the keys")
        }
        let size = try? file.size()
        return (envelope, failure == nil && copies[1] == envelope && size == UInt64(Self.length))
    }

    private func open(_ mode: FileMode) throws(FileSystemError) -> (any File)? {
        do throws(FileSystemError) { return try folder.system.open(path, mode) } catch {
            if error.number == SystemErrorNumber.noEntry { return nil }
            throw error
        }
    }

    // MARK: - Replacing

    /// Replaces the envelope, durably, and makes the folder if need be. `.outcomeUnknown` where the disk failed too late to tell; after any other error the
    /// old envelope counts.
    func write(_ envelope: KeyEnvelope) throws(EngineError) {
        try folder.make()
        // Opened now, since it has no name later. A replacement doesn't depend on it.
        // A backup that was made by linking shares its bytes, and is what a backup has to be.
        let isLinked = (try? folder.system.information(path))?.linkCount ?? 1 > 1
        let old = isLinked ? nil : try? open(.readWrite)
        defer { old?.close() }
        let copy = envelope.encoded
        try folder.writeNew(Self.newName, copy + copy, durably: true)
        do throws(FileSystemError) {
            try folder.system.rename(newPath, to: path)
            try folder.system.syncDirectory(folder.path)
        } catch {
            let failure = EngineError(error)
            throw EngineError(
                .outcomeUnknown,
                "the disk failed before the new keys were durable (\(failure.message)); open the store "
                    + "again to see whether the old key or the new one opens it", file: Self.name)
        }
        if let old { overwrite(old) }
    }

    /// Writes the envelope that was read again, where one of the copies is damaged. For the one that writes the store, once the envelope has opened.
    func repair(_ envelope: KeyEnvelope) throws {
        guard let found = try found(), !found.isWhole, found.envelope == envelope else { return }
        try write(envelope)
    }

    /// The new envelope is durable by now, so a failure is nobody's concern.
    private func overwrite(_ old: any File) {
        guard let size = try? old.size() else { return }
        let count = Int(min(size, UInt64(Self.length)))
        try? old.write([UInt8](repeating: 0, count: count), at: 0)
        try? old.sync()
    }
}

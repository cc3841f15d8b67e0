// A store of a hundred lines with the storage engine's duties: it appends numbered records to a log, moves to a new log
// now and then, and acknowledges a record once it is durable. It exists to prove that the simulated file system finds
// mistakes: each of `Mistake` can be made on purpose.
import OfflineBytes
import OfflineEngine
import StorageSimulation

/// What a storage engine may get wrong.
enum Mistake: CaseIterable, Sendable {
    case skipsFileSync
    case acknowledgesBeforeSync
    case skipsFolderSyncOfNewLog
    case skipsFolderSyncOfCurrent
    case renamesBeforeSync
    case removesOldLogTooEarly
    case overwritesCurrentInPlace
    case skipsChecksum
    case appendsToRecoveredLog
    case retriesFailedSync

    /// Whether a power cut alone shows it, where names survive in the order they were made.
    var showsWithOrderedNames: Bool {
        switch self {
        case .skipsFolderSyncOfNewLog: false
        default: showsWithoutFaults
        }
    }

    /// Whether it needs a failed call to show.
    var showsWithoutFaults: Bool {
        self != .retriesFailedSync && self != .appendsToRecoveredLog
    }
}

/// A log of records 1, 2, 3, …; a file "CURRENT" names the log file that counts.
///
/// A log file begins with a base record, which stands for all records up to its number.
struct TinyLog {
    static let folder = "/store"
    private static let recordsPerLog: UInt64 = 4

    private let files: any FileSystem
    private let mistake: Mistake?
    private var log: any File
    private var number: UInt64 = 0
    private var base: UInt64 = 0
    private var end = 0
    /// The last record that was appended.
    private(set) var last: UInt64 = 0
    /// After a failed call nothing is appended any more; the store must be opened again.
    private var isPoisoned = false

    /// Opens or creates the log in `folder`, and goes on in a new file, so that nothing builds on bytes of which only
    /// memory may know.
    init(_ files: any FileSystem, _ mistake: Mistake? = nil) throws {
        self.files = files
        self.mistake = mistake
        if try files.information(Self.folder) == nil {
            try files.createDirectory(Self.folder)
        }
        try files.syncDirectory("/")
        guard let current = try Self.current(files) else {
            log = try Self.newLog(files, 1, base: 0, mistake)
            number = 1
            end = Self.frame(0).count
            try publish()
            return
        }
        let path = Self.path(current)
        let (base, records) = try Self.records(files, path, checks: mistake != .skipsChecksum)
        last = base + UInt64(records.count)
        number = current
        self.base = base
        log = try files.open(path, .readWrite)
        if mistake == .appendsToRecoveredLog {
            end = Self.frame(base).count + records.reduce(0) { $0 + Self.frame($1.number).count }
        } else {
            try rotate()
        }
    }

    /// Appends the next record; it is durable when this returns.
    mutating func append() throws {
        guard !isPoisoned else { throw EngineError(.readOnly, "reopen after a failure") }
        isPoisoned = true
        if last - base >= Self.recordsPerLog { try rotate() }
        let frame = Self.frame(last + 1)
        if mistake == .acknowledgesBeforeSync { try log.sync() }
        try log.write(frame, at: UInt64(end))
        if mistake != .skipsFileSync && mistake != .acknowledgesBeforeSync { try sync(log) }
        end += frame.count
        last += 1
        isPoisoned = false
    }

    private func sync(_ file: any File) throws {
        do { try file.sync() } catch {
            guard mistake == .retriesFailedSync else { throw error }
            try file.sync()
        }
    }

    private mutating func rotate() throws {
        let old = Self.path(number)
        log = try Self.newLog(files, number + 1, base: last, mistake)
        number += 1
        base = last
        end = Self.frame(base).count
        if mistake == .removesOldLogTooEarly { try files.remove(old) }
        try publish()
        if mistake != .removesOldLogTooEarly { try files.remove(old) }
        try files.syncDirectory(Self.folder)
    }

    private static func newLog(
        _ files: any FileSystem, _ number: UInt64, base: UInt64, _ mistake: Mistake?
    ) throws -> any File {
        let path = path(number)
        // One of that name is left from a crash before CURRENT named it.
        if try files.information(path) != nil { try files.remove(path) }
        let log = try files.open(path, .create)
        try log.write(frame(base), at: 0)
        try log.sync()
        if mistake != .skipsFolderSyncOfNewLog { try files.syncDirectory(folder) }
        return log
    }

    /// Makes CURRENT name this log.
    private func publish() throws {
        var bytes: [UInt8] = []
        bytes.appendLittle(number)
        bytes.appendLittle(CRC32C.checksum(bytes))
        let temporary = files.path(Self.folder, "CURRENT.new")
        let current = files.path(Self.folder, "CURRENT")
        if mistake == .overwritesCurrentInPlace, try files.information(current) != nil {
            let file = try files.open(current, .readWrite)
            try file.truncate(to: 0)
            try file.write(bytes, at: 0)
            return try file.sync()
        }
        if try files.information(temporary) != nil { try files.remove(temporary) }
        let file = try files.open(temporary, .create)
        try file.write(bytes, at: 0)
        if mistake != .renamesBeforeSync { try file.sync() }
        try files.rename(temporary, to: current)
        if mistake != .skipsFolderSyncOfCurrent { try files.syncDirectory(Self.folder) }
    }
}

extension TinyLog {
    /// The last record in a store that nobody has open; 0 where there is no store yet. Throws where it is damaged.
    static func recovered(_ files: any FileSystem, _ mistake: Mistake? = nil) throws -> UInt64 {
        guard try files.information(folder) != nil, let number = try current(files) else {
            return 0
        }
        let checks = mistake != .skipsChecksum
        let (base, records) = try records(files, path(number), checks: checks)
        for (index, record) in records.enumerated() {
            guard record.isWhole, record.number == base + UInt64(index) + 1 else {
                throw EngineError(.corrupted, "\(record) follows \(base) + \(index)")
            }
        }
        return base + UInt64(records.count)
    }

    private static func path(_ number: UInt64) -> String { "\(folder)/\(number).log" }

    /// The number in CURRENT; nil where there is none.
    private static func current(_ files: any FileSystem) throws -> UInt64? {
        let path = files.path(folder, "CURRENT")
        guard try files.information(path) != nil else { return nil }
        let file = try files.open(path, .read)
        let bytes = try file.read(100, at: 0)
        guard bytes.count == 12, let number = littleWord(bytes, 0), number > 0,
            CRC32C.checksum(Array(bytes.prefix(8)))
                == UInt32(littleWord(Array(bytes.suffix(4)) + [0, 0, 0, 0], 0) ?? 0)
        else { throw EngineError(.corrupted, "CURRENT holds \(bytes)") }
        return number
    }

    /// The base of a log and the records behind it, up to the first that isn't whole.
    private static func records(
        _ files: any FileSystem, _ path: String, checks: Bool
    ) throws -> (base: UInt64, records: [(number: UInt64, isWhole: Bool)]) {
        let file = try files.open(path, .read)
        let bytes = try file.read(Int(file.size()), at: 0)
        var found: [(number: UInt64, isWhole: Bool)] = []
        var offset = 0
        while let word = littleWord(bytes, offset), word > 0 {
            let expected = frame(word - 1)
            let there = Array(bytes[offset...].prefix(expected.count))
            let isWhole = there == expected
            if checks ? !isWhole : there.count < expected.count { break }
            found.append((word - 1, isWhole))
            offset += expected.count
        }
        guard let base = found.first else { throw EngineError(.corrupted, "no base in \(path)") }
        return (base.number, Array(found.dropFirst()))
    }

    /// A record's bytes, all of which follow from its number, so that comparing them is the checksum.
    private static func frame(_ number: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: number)
        var bytes: [UInt8] = []
        // Never zero, which is what an empty tail holds.
        bytes.appendLittle(number + 1)
        return bytes + random.bytes(Int(number &* 131 % 1400))
    }

    private static func littleWord(_ bytes: [UInt8], _ offset: Int) -> UInt64? {
        guard offset + 8 <= bytes.count else { return nil }
        return unsafe bytes.withUnsafeBytes {
            unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }
}

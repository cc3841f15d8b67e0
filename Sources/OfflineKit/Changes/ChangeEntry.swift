// What is kept of a record's changes beside the record: at most one entry a record key, in the collection of changes that
// belongs to the record's collection (ChangeTrees).
//
//   kind and flags  1 byte: the kind in the low four bits, and for tombstones
//                   0x10 pending: the delete is to be synchronized
//                   0x20 a first number follows
//                   0x40 an origin follows
//                   0x80 a sequence follows
//   1 synchronized  number (varint): the server has the record's version with this number. The record is there.
//   2 base          sequence (varint), record: the version that was synchronized last, of a record with a pending change; the sequence
//                   is the one of the change that made it. The record is there.
//   3 tombstone     the record was deleted: number, time (varints), then what the flags say, as varints: first number, origin (both
//                   as in RecordStamp) and the delete's sequence, where it isn't that of the put of this entry, because
//                   the entry was written again; then, if anything follows, a base as above. Without `pending` it is
//                   settled: kept for feeds.
//   4 horizon       sequence (varint): changes up to it may be missing here, because tombstones were dropped; 0: up to that of the
//                   put of this entry, because the collection was cleared then. Its key is no record's.
//
// Records in bases are as in the record's collection, without a stamp, and with that collection's names.
internal import OfflineBytes
package import OfflineDocuments

/// A version of a record that the server is known to have.
package struct ChangeBase: Equatable, Sendable {
    package var sequence: UInt64
    package var record: [UInt8]
}

/// A deleted record.
package struct Tombstone: Equatable, Sendable {
    package var number: UInt64
    /// Milliseconds since 1970.
    package var time: UInt64
    package var isPending: Bool
    package var firstNumber: UInt64?
    package var origin: UInt64?
    package var sequence: UInt64?
    package var base: ChangeBase?
}

/// What is kept of one record's changes.
package enum ChangeEntry: Equatable, Sendable {
    case synchronized(number: UInt64)
    case base(ChangeBase)
    case tombstone(Tombstone)
    case horizon(sequence: UInt64)

    var base: ChangeBase? {
        switch self {
        case .base(let base): base
        case .tombstone(let tombstone): tombstone.base
        case .synchronized, .horizon: nil
        }
    }

    private enum Flag {
        static let kinds: UInt8 = 0x0F
        static let pending: UInt8 = 0x10
        static let first: UInt8 = 0x20
        static let origin: UInt8 = 0x40
        static let sequence: UInt8 = 0x80
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .synchronized(let number):
            bytes.append(1)
            bytes.appendVarint(number)
        case .base(let base):
            bytes.append(2)
            bytes.append(base)
        case .tombstone(let tombstone):
            bytes.append(
                3 | (tombstone.isPending ? Flag.pending : 0)
                    | (tombstone.firstNumber == nil ? 0 : Flag.first)
                    | (tombstone.origin == nil ? 0 : Flag.origin)
                    | (tombstone.sequence == nil ? 0 : Flag.sequence))
            bytes.appendVarint(tombstone.number)
            bytes.appendVarint(tombstone.time)
            if let first = tombstone.firstNumber { bytes.appendVarint(first) }
            if let origin = tombstone.origin { bytes.appendVarint(origin) }
            if let sequence = tombstone.sequence { bytes.appendVarint(sequence) }
            if let base = tombstone.base { bytes.append(base) }
        case .horizon(let sequence):
            bytes.append(4)
            bytes.appendVarint(sequence)
        }
        return bytes
    }

    /// Reads an entry; `.corrupted` for bytes that are none. The records in it aren't validated here.
    package init(_ bytes: UnsafeRawBufferPointer) throws(OfflineError) {
        var reader = unsafe ByteReader(bytes)
        do throws(ByteError) {
            self = try unsafe Self.read(&reader)
        } catch {
            throw OfflineError(.corrupted, "an entry of the changes is malformed: \(error.message)")
        }
    }

    private static func read(_ reader: inout ByteReader) throws(ByteError) -> ChangeEntry {
        let head = try unsafe reader.byte()
        let entry: ChangeEntry
        switch (head & Flag.kinds, head & ~Flag.kinds) {
        case (1, 0): entry = .synchronized(number: try unsafe reader.varint())
        case (2, 0): entry = .base(try unsafe readBase(&reader))
        case (3, let flags):
            var tombstone = Tombstone(
                number: try unsafe reader.varint(), time: try unsafe reader.varint(),
                isPending: flags & Flag.pending != 0)
            if flags & Flag.first != 0 { tombstone.firstNumber = try unsafe reader.varint() }
            if flags & Flag.origin != 0 { tombstone.origin = try unsafe reader.varint() }
            if flags & Flag.sequence != 0 { tombstone.sequence = try unsafe reader.varint() }
            if unsafe !reader.isAtEnd { tombstone.base = try unsafe readBase(&reader) }
            entry = .tombstone(tombstone)
        case (4, 0): entry = .horizon(sequence: try unsafe reader.varint())
        default:
            throw ByteError("its kind or flags are unknown", at: 0)
        }
        try unsafe reader.expectEnd()
        return entry
    }

    private static func readBase(_ reader: inout ByteReader) throws(ByteError) -> ChangeBase {
        let sequence = try unsafe reader.varint()
        return ChangeBase(
            sequence: sequence, record: try unsafe reader.array(reader.remaining))
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ base: ChangeBase) {
        appendVarint(base.sequence)
        append(contentsOf: base.record)
    }
}

// What a record that was written while its collection tracked changes begins with, before its own bytes:
//
//   flags         1 byte: 0x80 always (a record's own first byte is below that), and
//                 0x01 local: the application made the change; else a synchronization applied it
//                 0x02 creation: the change made the record
//                 0x04 a first number follows
//                 0x08 an origin follows
//                 0x10 a sequence follows
//   length        1 byte: of the whole stamp, so that it is skipped without reading it
//   number        varint: the change's number in its collection, ascending from 1
//   time          varint: of the change, in milliseconds since 1970
//   first number  varint, of a record that was never synchronized: the number of the change that made it, where that is
//                 another one
//   origin        varint: whose change it was, as a position among the names of the collection's changes (ChangeTrees)
//   sequence      varint: the change's sequence, where it isn't that of the put of this record, because the record was written again
//                 without a change (Resealing)
//
// It is part of the stored record, so the change, the record and all that derives from them are one put of one commit.
internal import OfflineBytes
package import OfflineDocuments

/// The latest change of a record that is there.
package struct RecordStamp: Equatable, Sendable {
    package var number: UInt64
    /// Milliseconds since 1970.
    package var time: UInt64
    package var isLocal: Bool
    package var isCreation = false
    package var firstNumber: UInt64?
    package var origin: UInt64?
    package var sequence: UInt64?

    private static let mark: UInt8 = 0x80
    private static let local: UInt8 = 0x01
    private static let creation: UInt8 = 0x02
    private static let first: UInt8 = 0x04
    private static let origin: UInt8 = 0x08
    private static let sequence: UInt8 = 0x10

    /// The stamp, and `record` behind it.
    func encoded(before record: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(record.count + 20)
        bytes.append(
            Self.mark | (isLocal ? Self.local : 0) | (isCreation ? Self.creation : 0)
                | (firstNumber == nil ? 0 : Self.first) | (origin == nil ? 0 : Self.origin)
                | (sequence == nil ? 0 : Self.sequence))
        bytes.append(0)
        bytes.appendVarint(number)
        bytes.appendVarint(time)
        if let firstNumber { bytes.appendVarint(firstNumber) }
        if let origin { bytes.appendVarint(origin) }
        if let sequence { bytes.appendVarint(sequence) }
        bytes[1] = UInt8(bytes.count)
        bytes += record
        return bytes
    }

    /// How many bytes of a stored record are its stamp; 0 where it has none. `.corrupted` where it is cut off.
    @inline(__always)
    package static func length(in stored: UnsafeRawBufferPointer) throws(OfflineError) -> Int {
        guard let flags = unsafe stored.first, flags >= mark else { return 0 }
        guard stored.count >= 2 else { throw damaged }
        let length = Int(unsafe stored[1])
        guard length >= 4, length <= stored.count else { throw damaged }
        return length
    }

    fileprivate static var damaged: OfflineError {
        OfflineError(.corrupted, "the record's change stamp is malformed")
    }
}

extension RecordStamp {
    /// The stamp of a stored record; nil where it has none. `.corrupted` for bytes that are none.
    package init?(of stored: UnsafeRawBufferPointer) throws(OfflineError) {
        let length = try unsafe Self.length(in: stored)
        guard length > 0, let flags = unsafe stored.first else { return nil }
        guard flags & 0x60 == 0 else { throw Self.damaged }
        var reader = unsafe ByteReader(UnsafeRawBufferPointer(rebasing: stored[2..<length]))
        do throws(ByteError) {
            number = try unsafe reader.varint()
            time = try unsafe reader.varint()
            isLocal = flags & Self.local != 0
            isCreation = flags & Self.creation != 0
            firstNumber = flags & Self.first == 0 ? nil : try unsafe reader.varint()
            origin = flags & Self.origin == 0 ? nil : try unsafe reader.varint()
            sequence = flags & Self.sequence == 0 ? nil : try unsafe reader.varint()
            try unsafe reader.expectEnd()
        } catch {
            throw Self.damaged
        }
    }
}

extension StorageAdapter {
    /// The sequence of a record's latest change; nil where there is no record, and for a batch also where it has put it itself.
    static func changeSequence(
        of key: [UInt8], in collection: CollectionID, _ reader: any BackendReader
    ) throws -> UInt64? {
        var stamped: UInt64?
        let isThere = try reader.withRecord(collection, key: key) { span in
            stamped = try unsafe span.withUnsafeBytes { try unsafe RecordStamp(of: $0)?.sequence }
        }
        return isThere ? try stamped ?? reader.sequence(of: collection, key: key) : nil
    }
}

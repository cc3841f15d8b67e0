// Operations and records from bytes that may be anything.
internal import OfflineBytes
internal import OfflineDocuments
internal import OfflineEngine

/// Why something can't be shown.
struct Unreadable: Error {
    let reason: String
}

/// An operation and its own bytes, header and all.
struct StoredOperation {
    let header: LogOperation
    let bytes: [UInt8]

    /// The operation that begins at `offset` in `bytes`.
    init(_ bytes: [UInt8], at offset: Int) throws(Unreadable) {
        let length = Self.claimedLength(bytes, at: offset)
        self.bytes = Array(bytes[offset...].prefix(length))
        do {
            header = try unsafe self.bytes.withBytes { bytes throws(LogOperationError) in
                try unsafe LogOperation.read(bytes)
            }
        } catch {
            throw Unreadable(reason: error.message)
        }
    }

    /// The operation that begins at `offset` in a file, read with `pread`.
    init(_ file: any File, at offset: UInt64) throws(Unreadable) {
        let bytes: [UInt8]
        do {
            let head = try file.readArray(count: LogOperation.headerSize, at: offset)
            bytes = try file.readArray(count: Self.claimedLength(head, at: 0), at: offset)
        } catch {
            throw Unreadable(reason: "\(error)")
        }
        try self.init(bytes, at: 0)
    }

    var key: [UInt8] { Array(bytes[header.keyRange]) }
    var payload: [UInt8] { Array(bytes[header.payloadRange]) }

    /// The names that a `names` operation appends.
    func names() throws(Unreadable) -> [String] {
        do {
            return try unsafe payload.withBytes { bytes throws(LogOperationError) in
                try unsafe LogOperation.decodeNames(bytes)
            }
        } catch {
            throw Unreadable(reason: error.message)
        }
    }

    /// The length that a header claims, unchecked; a header's where there is none.
    private static func claimedLength(_ bytes: [UInt8], at offset: Int) -> Int {
        guard bytes.count - offset >= LogOperation.headerSize else {
            return LogOperation.headerSize
        }
        return bytes[offset + 4..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

extension DumpContext {
    /// The record that an entry of a primary tree points to.
    func record(at location: Location, of collection: UInt32) -> RecordViewing {
        do {
            let file = try open(NumberedFile(number: location.file, kind: .log))
            let operation = try StoredOperation(file, at: location.offset)
            guard operation.header.kind == .put, operation.header.collection == collection else {
                return .unreadable("what is there isn't a record of this collection")
            }
            return record(of: operation)
        } catch let error as Unreadable {
            return .unreadable(error.reason)
        } catch {
            return .unreadable("\(error)")
        }
    }

    /// A put's record.
    func record(of operation: StoredOperation) -> RecordViewing {
        do throws(OfflineError) {
            let content = try directory.content(
                operation.payload, of: operation.header.collection)
            return .document(content.fields, change: content.change)
        } catch {
            return .unreadable(error.message)
        }
    }
}

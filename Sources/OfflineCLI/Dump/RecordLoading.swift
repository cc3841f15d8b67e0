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

    /// A put's record, which is inflated if it is deflated. `dictionary` reads the operation that begins so many bytes before.
    func record(
        dictionary: (Int) throws -> StoredOperation
    ) throws -> [UInt8] {
        guard header.isDeflated else { return payload }
        let deflated = try unsafe payload.withUnsafeBytes { try unsafe DeflatedRecord($0) }
        let distance = deflated.dictionaryDistance
        let before = distance > 0 ? try dictionary(distance) : nil
        return try unsafe payload.withUnsafeBytes { payload in
            var buffer = InflateBuffer()
            guard let before else {
                return unsafe [UInt8](
                    try deflated.inflate(payload, dictionary: nil, into: &buffer))
            }
            return try unsafe before.bytes.withUnsafeBytes { bytes in
                let dictionary = unsafe try DeflatedRecord.dictionary(
                    bytes, before.header, of: header.collection)
                return unsafe [UInt8](
                    try deflated.inflate(payload, dictionary: dictionary, into: &buffer))
            }
        }
    }

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
            let numbered = NumberedFile(number: location.file, kind: .log)
            let operation = try StoredOperation(open(numbered), at: location.offset)
            guard operation.header.kind == .put, operation.header.collection == collection else {
                return .unreadable("what is there isn't a record of this collection")
            }
            return record(of: operation, numbered, at: location.offset)
        } catch let error as Unreadable {
            return .unreadable(error.reason)
        } catch {
            return .unreadable("\(error)")
        }
    }

    /// The record of the put at `offset` in a file.
    func record(
        of operation: StoredOperation, _ file: NumberedFile, at offset: UInt64
    ) -> RecordViewing {
        do {
            let record = try operation.record { distance in
                guard UInt64(distance) <= offset else {
                    throw Unreadable(reason: "its dictionary is outside the file")
                }
                return try StoredOperation(open(file), at: offset - UInt64(distance))
            }
            let content = try directory.content(record, of: operation.header.collection)
            return .document(content.fields, change: content.change)
        } catch let error as Unreadable {
            return .unreadable(error.reason)
        } catch let error as LogOperationError {
            return .unreadable(error.message)
        } catch let error as OfflineError {
            return .unreadable(error.message)
        } catch {
            return .unreadable("\(error)")
        }
    }
}

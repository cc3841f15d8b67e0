// A record that is deflated in the log: a varint, its length in bytes; a varint, how far before the entry its dictionary's
// entry begins, in units of 8 bytes, or 0 for none; then raw deflate (RFC 1951) to the payload's end.
//
// Invariants, on any bytes:
// - The length is checked before anything is allocated: against the limit of records, and against what deflate can make
//   of the bytes that are there.
// - Inflating writes exactly that many bytes and reads all there are; everything else is an error.
internal import OfflineBytes

/// The payload of a put whose record is deflated.
package struct DeflatedRecord {
    /// Bytes of the record.
    package let length: Int
    /// How many bytes before the put's entry that of the dictionary begins; 0 if there is none.
    package let dictionaryDistance: Int
    /// Where deflate begins in the payload.
    private let start: Int

    /// A byte of deflate gives no more than this: 2 bits for 258 bytes.
    private static let expansionMax = 1_032
    /// The furthest that deflate looks back.
    package static let dictionaryBytesMax = 32 << 10

    /// Reads what a payload begins with.
    package init(_ payload: UnsafeRawBufferPointer) throws(LogOperationError) {
        var reader = unsafe ByteReader(payload)
        do {
            length = try unsafe reader.count(atMost: Limits.recordBytesMax)
            dictionaryDistance = try unsafe reader.count(atMost: Limits.logFileBytesMax / 8) * 8
        } catch {
            throw LogOperationError("a deflated record's lengths are damaged: \(error)")
        }
        start = unsafe reader.offset
        guard length > 0, length <= (payload.count - start) * Self.expansionMax else {
            throw LogOperationError(
                "a deflated record of \(payload.count) bytes can't have \(length)")
        }
    }

    /// The record. It lies in `buffer` until that is used again. `dictionary` is that of the entry `dictionaryDistance` before.
    package func inflate(
        _ payload: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer?,
        into buffer: inout InflateBuffer
    ) throws(LogOperationError) -> UnsafeRawBufferPointer {
        let record = unsafe buffer.prepare(length)
        let deflated = unsafe UnsafeRawBufferPointer(rebasing: payload[start...])
        do throws(InflateError) {
            try unsafe Deflate.inflate(deflated, into: record, dictionary: dictionary)
        } catch {
            guard error == .damaged else { throw .outOfMemory }
            throw LogOperationError("a deflated record doesn't inflate to its \(length) bytes")
        }
        return UnsafeRawBufferPointer(record)
    }

    /// The record of the put at `offset` in a frame's body. It lies in the body, or in `buffer` until that is used again. All
    /// checksums are tested.
    package static func record(
        at offset: Int, in body: UnsafeRawBufferPointer, _ buffer: inout InflateBuffer
    ) throws(LogOperationError) -> UnsafeRawBufferPointer {
        let entry = unsafe UnsafeRawBufferPointer(rebasing: body[offset...])
        let operation = try unsafe LogOperation.read(entry)
        let payload = unsafe UnsafeRawBufferPointer(rebasing: entry[operation.payloadRange])
        guard operation.isDeflated else { return unsafe payload }
        let deflated = try unsafe DeflatedRecord(payload)
        guard deflated.dictionaryDistance > 0 else {
            return unsafe try deflated.inflate(payload, dictionary: nil, into: &buffer)
        }
        guard deflated.dictionaryDistance <= offset else {
            throw LogOperationError("a deflated record's dictionary is outside its frame")
        }
        let bytes = unsafe UnsafeRawBufferPointer(
            rebasing: body[(offset - deflated.dictionaryDistance)...])
        let dictionary = unsafe try Self.dictionary(
            bytes, LogOperation.read(bytes), of: operation.collection)
        return unsafe try deflated.inflate(payload, dictionary: dictionary, into: &buffer)
    }

    /// The dictionary that the entry `operation`, which begins `bytes`, holds for records of `collection`.
    package static func dictionary(
        _ bytes: UnsafeRawBufferPointer, _ operation: LogOperation, of collection: UInt32
    ) throws(LogOperationError) -> UnsafeRawBufferPointer {
        guard operation.kind == .dictionary, operation.collection == collection,
            operation.payloadLength <= dictionaryBytesMax
        else { throw LogOperationError("a deflated record's dictionary isn't where it should be") }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[operation.payloadRange])
    }

    // MARK: - Writing

    /// The payload for `record`, where deflating it saves an eighth.
    package static func payload(
        _ record: UnsafeRawBufferPointer,
        dictionary: (bytes: UnsafeRawBufferPointer, distance: Int)? = nil
    ) -> [UInt8]? {
        guard unsafe isPromising(record) else { return nil }
        var head: [UInt8] = []
        head.appendVarint(UInt64(record.count))
        head.appendVarint(UInt64(unsafe (dictionary?.distance ?? 0) / 8))
        let room = record.count - record.count / 8
        guard head.count < room else { return nil }
        let payload = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            unsafe bytes.copyBytes(from: head)
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[head.count..<room])
            let length = unsafe Deflate.deflate(
                record, into: rest, dictionary: dictionary?.bytes,
                for: dictionary == nil ? .commit : .block)
            count = length.map { head.count + $0 } ?? 0
        }
        return payload.isEmpty ? nil : payload
    }

    /// Whether the bytes are so unevenly spread that deflating can pay. Sealed, random and already compressed bytes aren't,
    /// and deflating them in vain would take a hundred times as long as this.
    private static func isPromising(_ record: UnsafeRawBufferPointer) -> Bool {
        // Of few bytes the spread says nothing.
        guard record.count > sampleBytes else { return true }
        let stride = record.count / sampleBytes
        var counts = InlineArray<256, UInt32>(repeating: 0)
        var total: UInt32 = 0
        var at = 0
        while at < record.count, total < sampleBytes {
            counts[Int(unsafe record[at])] += 1
            total += 1
            at += stride
        }
        var squares: UInt32 = 0
        for value in 0..<256 { squares += counts[value] * counts[value] }
        // Of even bytes the sum is total + total² / 256, give or take 2 %; of base64, which shrinks by a quarter, three times
        // that, of text six times or more.
        return squares >= 2 * (total + total * total / 256)
    }

    /// Bytes that are looked at, spread over the record.
    private static let sampleBytes = 1 << 10
}

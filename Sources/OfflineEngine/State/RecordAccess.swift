// From a location to a record's bytes, checked: bounds always, checksums on the first read of each entry from a file,
// the key on every read. A record that is deflated is inflated on every read, into the reader's buffer.
internal import OfflineBytes

/// Reads records, in place where they are plain.
package enum RecordAccess {
    /// The entry at `location`, as a view of mapped memory that lives as long as `files` does.
    @inline(always)
    package static func entry(
        at location: Location, in files: OpenFiles
    ) throws(EngineError) -> (bytes: UnsafeRawBufferPointer, operation: LogOperation) {
        let slot = unsafe files.table.slot(location.file)
        let offset = location.offset
        guard let base = unsafe slot.base,
            unsafe offset + UInt64(LogOperation.headerSize) <= UInt64(slot.length)
        else {
            throw .corrupted(
                "a tree points to a record outside the file", file: FileNames.log(location.file),
                offset: offset)
        }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: base + Int(offset), count: slot.length - Int(offset))
        let isVerified = unsafe slot.isVerified(offset)
        do throws(LogOperationError) {
            let operation = try unsafe LogOperation.read(bytes, checksSums: !isVerified)
            if !isVerified { unsafe slot.setVerified(offset) }
            return unsafe (bytes, operation)
        } catch {
            throw .corrupted(error.message, file: FileNames.log(location.file), offset: offset)
        }
    }

    /// The record of `key` in `collection` at `location`, as a view that lives as long as `files` does and `buffer` isn't
    /// used again.
    @inline(always)
    package static func record(
        at location: Location, collection: UInt32, key: UnsafeRawBufferPointer,
        in files: OpenFiles, _ buffer: inout InflateBuffer
    ) throws(EngineError) -> UnsafeRawBufferPointer {
        let (bytes, operation) = unsafe try put(
            at: location, collection: collection, key: key, in: files)
        let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[operation.payloadRange])
        guard operation.isDeflated else { return unsafe payload }
        return unsafe try inflated(payload, at: location, collection, in: files, &buffer)
    }

    /// The put that wrote the record of `key` in `collection` at `location`.
    @inline(always)
    private static func put(
        at location: Location, collection: UInt32, key: UnsafeRawBufferPointer, in files: OpenFiles
    ) throws(EngineError) -> (bytes: UnsafeRawBufferPointer, operation: LogOperation) {
        let (bytes, operation) = unsafe try entry(at: location, in: files)
        guard operation.kind == .put, operation.collection == collection,
            unsafe ByteOrder.compare(
                UnsafeRawBufferPointer(rebasing: bytes[operation.keyRange]), key) == 0
        else {
            throw .corrupted(
                "a tree points to the record of another key",
                file: FileNames.log(location.file), offset: location.offset)
        }
        return unsafe (bytes, operation)
    }

    @inline(never)
    private static func inflated(
        _ payload: UnsafeRawBufferPointer, at location: Location, _ collection: UInt32,
        in files: OpenFiles, _ buffer: inout InflateBuffer
    ) throws(EngineError) -> UnsafeRawBufferPointer {
        do throws(LogOperationError) {
            let deflated = try unsafe DeflatedRecord(payload)
            let dictionary = unsafe try dictionary(
                of: deflated, at: location, collection, in: files)
            return unsafe try deflated.inflate(payload, dictionary: dictionary, into: &buffer)
        } catch {
            throw EngineError(error, file: location.file, offset: location.offset)
        }
    }

    /// The record of the put at `location`, inflated, if that takes a dictionary elsewhere in the file; otherwise nil.
    static func recordNeedingDictionary(
        _ entry: UnsafeRawBufferPointer, _ operation: LogOperation, at location: Location,
        in files: OpenFiles, _ buffer: inout InflateBuffer
    ) throws(EngineError) -> UnsafeRawBufferPointer? {
        guard operation.isDeflated else { return nil }
        let payload = unsafe UnsafeRawBufferPointer(rebasing: entry[operation.payloadRange])
        if let deflated = try? unsafe DeflatedRecord(payload), deflated.dictionaryDistance == 0 {
            return nil
        }
        return unsafe try inflated(payload, at: location, operation.collection, in: files, &buffer)
    }

    /// The dictionary of the deflated record at `location`; nil if it has none.
    private static func dictionary(
        of deflated: DeflatedRecord, at location: Location, _ collection: UInt32,
        in files: OpenFiles
    ) throws(LogOperationError) -> UnsafeRawBufferPointer? {
        let distance = UInt64(deflated.dictionaryDistance)
        if distance == 0 { return nil }
        guard distance <= location.offset else {
            throw LogOperationError("a deflated record's dictionary is outside its file")
        }
        let place = Location(file: location.file, offset: location.offset - distance, tag: false)
        let (bytes, operation): (UnsafeRawBufferPointer, LogOperation)
        do throws(EngineError) {
            unsafe (bytes, operation) = unsafe try entry(at: place, in: files)
        } catch {
            throw LogOperationError("a deflated record's dictionary is damaged")
        }
        return unsafe try DeflatedRecord.dictionary(bytes, operation, of: collection)
    }

    /// The sequence of the put that wrote the record of `key` at `location`; nil where no commit has given it one yet.
    package static func sequence(
        at location: Location, collection: UInt32, key: UnsafeRawBufferPointer, in files: OpenFiles
    ) throws(EngineError) -> UInt64? {
        let operation = unsafe try put(
            at: location, collection: collection, key: key, in: files
        ).operation
        return sequence(of: operation, in: location.file, files)
    }

    /// The sequence of an entry; nil if it is relative and no commit has adopted its file.
    package static func sequence(
        of operation: LogOperation, in file: FileNumber, _ files: OpenFiles
    ) -> UInt64? {
        guard operation.isSequenceRelative else { return operation.sequence }
        let base = unsafe files.table.slot(file).baseSequence
        return base == 0 ? nil : base &+ operation.sequence
    }

    /// What an entry takes; nothing if that can't be told.
    package static func sizes(at location: Location, in files: OpenFiles) -> EntrySizes {
        let slot = unsafe files.table.slot(location.file)
        guard let base = unsafe slot.base, unsafe location.offset < UInt64(slot.length) else {
            return EntrySizes()
        }
        return unsafe EntrySizes(
            of: UnsafeRawBufferPointer(
                start: base + Int(location.offset), count: slot.length - Int(location.offset)))
    }
}

/// Bytes of one put.
package struct EntrySizes {
    /// What it takes of its file, padding included.
    package private(set) var entry: Int64 = 0
    /// The record, as it is read.
    package private(set) var record: Int64 = 0

    fileprivate init() {}

    /// Of the put that begins `bytes`; nothing if there is none.
    init(of bytes: UnsafeRawBufferPointer) {
        guard let operation = try? unsafe LogOperation.read(bytes, checksSums: false) else {
            return
        }
        entry = Int64(operation.paddedLength)
        record = Int64(operation.payloadLength)
        if operation.isDeflated {
            let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[operation.payloadRange])
            record = (try? unsafe DeflatedRecord(payload)).map { Int64($0.length) } ?? 0
        }
    }
}

// From a location to a record's bytes, checked: bounds always, checksums on the first read of each entry from a file,
// the key on every read.
internal import OfflineBytes

/// Reads records in place.
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

    /// The record of `key` in `collection` at `location`.
    @inline(always)
    package static func record(
        at location: Location, collection: UInt32, key: UnsafeRawBufferPointer, in files: OpenFiles
    ) throws(EngineError) -> UnsafeRawBufferPointer {
        let (bytes, operation) = unsafe try entry(at: location, in: files)
        guard operation.kind == .put, operation.collection == collection,
            unsafe ByteOrder.compare(
                UnsafeRawBufferPointer(rebasing: bytes[operation.keyRange]), key) == 0
        else {
            throw .corrupted(
                "a tree points to the record of another key",
                file: FileNames.log(location.file), offset: location.offset)
        }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[operation.payloadRange])
    }

    /// The sequence of the put that wrote the record of `key` at `location`; nil where no commit has given it one yet.
    package static func sequence(
        at location: Location, collection: UInt32, key: UnsafeRawBufferPointer, in files: OpenFiles
    ) throws(EngineError) -> UInt64? {
        _ = unsafe try record(at: location, collection: collection, key: key, in: files)
        let operation = unsafe try entry(at: location, in: files).operation
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

    /// How many bytes of its file an entry takes; 0 if that can't be told.
    package static func paddedLength(at location: Location, in files: OpenFiles) -> Int64 {
        (length(at: location, in: files) + 7) & ~7
    }

    /// The same without padding: header, key and payload.
    static func length(at location: Location, in files: OpenFiles) -> Int64 {
        let slot = unsafe files.table.slot(location.file)
        guard let base = unsafe slot.base,
            unsafe location.offset + UInt64(LogOperation.headerSize) <= UInt64(slot.length)
        else { return 0 }
        return Int64(unsafe (base + Int(location.offset)).little(4, as: UInt32.self))
    }
}

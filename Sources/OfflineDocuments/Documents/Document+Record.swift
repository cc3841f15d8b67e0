// Documents of records that are read in place.
internal import OfflineBytes

extension Document {
    /// A copy of a record that is read in place, in bytes of its own.
    @unsafe
    package init(copying record: RecordView) {
        // A record is its format's byte and its object.
        let start = unsafe record.root.start - 1
        let length = unsafe record.root.length
        let bytes = unsafe RecordBytes(
            UnsafeRawBufferPointer(start: start, count: length + 1), names: record.names)
        self.init(StoredObject(bytes, offset: 1, length: length))
    }
}

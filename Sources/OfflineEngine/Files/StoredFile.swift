// An opened numbered file: its map, its slot in the file table, and what is known of its size.
//
// Invariants: the slot is set while the object lives; whoever may follow a location into the file retains the object
// (through `OpenFiles`); the map never grows.

/// A log file or node segment whose bytes can be read in place.
package final class StoredFile: Sendable {
    package let number: FileNumber
    package let kind: FileNames.Kind
    package let file: any File
    private let map: (any FileMap)?
    private let table: FileTable

    /// Bytes that are mapped.
    package let length: Int

    /// Maps the first `length` bytes of `file` and enters them in the table.
    package init(
        number: FileNumber, kind: FileNames.Kind, file: any File, length: Int, table: FileTable
    ) throws(FileSystemError) {
        self.number = number
        self.kind = kind
        self.file = file
        self.length = length
        self.table = table
        if length > 0 {
            let map = try file.map(length: length)
            self.map = map
            let words = length / 8 / 64 + 1
            let verified = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
            unsafe verified.initialize(repeating: 0, count: words)
            unsafe table.set(
                number, FileSlot(base: map.bytes.baseAddress, length: length, verified: verified))
        } else {
            map = nil
        }
    }

    deinit {
        let slot = unsafe table.slot(number)
        unsafe table.set(number, FileSlot(base: nil, length: 0, verified: nil))
        unsafe slot.verified?.deallocate()
        file.close()
    }

    package var name: String { FileNames.name(number, kind) }
}

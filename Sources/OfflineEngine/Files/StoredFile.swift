// An opened numbered file: its map, its slot in the file table, and what is known of its size.
//
// Invariants: the slot is set while the object lives; whoever may follow a location into the file retains the object
// (through `OpenFiles`); the map never grows. The descriptor is held from the first write to the last sync and no longer:
// a store may have more files than a process may have descriptors, and reading needs only the map.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

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
            // `calloc` takes zeroed pages from the system as they are first touched: a file of which little is read
            // costs little. Without memory nothing counts as verified, which is slow and right.
            let verified = unsafe calloc(length / 8 / 64 + 1, MemoryLayout<UInt64>.size)?
                .assumingMemoryBound(to: UInt64.self)
            unsafe table.set(
                number, FileSlot(base: map.bytes.baseAddress, length: length, verified: verified))
        } else {
            map = nil
        }
    }

    deinit {
        let slot = unsafe table.slot(number)
        unsafe table.set(number, FileSlot(base: nil, length: 0, verified: nil))
        unsafe free(slot.verified)
        file.close()
    }

    /// Lets go of the descriptor: all that was written is synced, and no more will be. Reading goes on. Idempotent.
    package func closeDescriptor() { file.close() }

    package var name: String { FileNames.name(number, kind) }
}

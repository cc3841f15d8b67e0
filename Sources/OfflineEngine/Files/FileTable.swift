// From a file's number to its mapped bytes, in two loads and without a lock: a radix table of two levels, filled when a
// file is opened and never moved.
//
// Invariants:
// - A slot is filled before any location in its file is published, and cleared only when nobody can hold one any more
//   (`StoredFile` clears it when it dies, and whoever may read a file retains its StoredFile).
// - `verified` has a bit for every 8 bytes: set once the frame, node or record that begins there passed its checks.
internal import COfflinePlatform
internal import OfflineBytes

/// One opened file as the hot paths see it.
@unsafe
package struct FileSlot {
    /// Nil: no such file is open.
    package var base: UnsafeRawPointer?
    /// How many bytes may be read at `base`.
    package var length: Int
    package var verified: UnsafeMutablePointer<UInt64>?
    /// What relative sequences in the file count from; 0: not known, because no commit has adopted it.
    package var baseSequence: UInt64 = 0

    /// Whether what begins at `offset` has been checked before.
    @inline(always)
    package func isVerified(_ offset: UInt64) -> Bool {
        guard let words = unsafe verified else { return false }
        return unsafe offline_bit_test(words, offset >> 3)
    }

    /// Remembers that what begins at `offset` is sound.
    @inline(always)
    package func setVerified(_ offset: UInt64) {
        if let words = unsafe verified { unsafe offline_bit_set(words, offset >> 3) }
    }
}

/// All open files of a store, by number.
@safe
package final class FileTable: @unchecked Sendable {
    // @unchecked: a chunk or slot is written before the location that leads there is published with a lock, and
    // cleared after the last holder let go; readers therefore never race with a writer of the slot they read.
    private let directory: UnsafeMutablePointer<UnsafeMutablePointer<FileSlot>?>
    /// Orders those that fill and clear slots; readers don't take it.
    private let changes = Protected(())
    private static let bits = 16
    private static let width = 1 << bits

    package init() {
        unsafe directory = .allocate(capacity: Self.width)
        unsafe directory.initialize(repeating: nil, count: Self.width)
    }

    deinit {
        for index in 0..<Self.width { unsafe directory[index]?.deallocate() }
        unsafe directory.deallocate()
    }

    /// The slot of a file; one with a nil base where it isn't open.
    @inline(always)
    package func slot(_ file: FileNumber) -> FileSlot {
        guard let chunk = unsafe directory[Int(file.value >> 16)] else {
            return unsafe FileSlot(base: nil, length: 0, verified: nil)
        }
        return unsafe chunk[Int(file.value & 0xFFFF)]
    }

    /// Fills or clears a slot; see the invariants for when.
    package func set(_ file: FileNumber, _ slot: FileSlot) {
        changes.withLock { _ in unsafe setLocked(file, slot) }
    }

    /// Says what relative sequences in an open file count from, before any location in it is published.
    package func setBaseSequence(_ sequence: UInt64, of file: FileNumber) {
        changes.withLock { _ in
            var slot = unsafe slot(file)
            unsafe slot.baseSequence = sequence
            unsafe setLocked(file, slot)
        }
    }

    private func setLocked(_ file: FileNumber, _ slot: FileSlot) {
        let high = Int(file.value >> 16)
        if unsafe directory[high] == nil {
            let chunk = UnsafeMutablePointer<FileSlot>.allocate(capacity: Self.width)
            unsafe chunk.initialize(
                repeating: FileSlot(base: nil, length: 0, verified: nil), count: Self.width)
            unsafe directory[high] = chunk
        }
        unsafe directory[high]?[Int(file.value & 0xFFFF)] = slot
    }
}

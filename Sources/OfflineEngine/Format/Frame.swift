// A frame: one commit, one catalog, or one part of a staged transaction, whole or not at all.
//
//   offset size  field
//        0    4  magic "OFRM"
//        4    4  kind: 1 commit, 2 catalog, 3 staged part, 4 adoption
//        8    8  store tag: the store id's first half
//       16    4  file number
//       20    4  body length in bytes, without padding
//       24    8  own offset in the file
//       32    8  sequence: the number of the body's first operation
//       40    8  durable through: the log position known to be synced when the frame was built (location word, 0: none)
//       48    4  CRC-32C of the body
//       52    4  number of operations in the body
//       56    4  chain: the header checksum of the frame before (0 before the first)
//       60    4  header checksum: CRC-32C of bytes 0 to 59
//       64       body, then zeros up to a multiple of 8
//
// Since each header covers the checksum of the header before, a frame is valid only after exactly the frames that it was
// written after. The chain runs on over file borders: a file's header holds the value it begins with.
internal import OfflineBytes

/// A frame's header.
package struct FrameHeader: Equatable, Sendable {
    package enum Kind: UInt32, Sendable {
        case commit = 1
        case catalog = 2
        case stagedPart = 3
        case adoption = 4
    }

    /// Bytes; the body follows.
    package static let size = 64

    package var kind: Kind
    package var storeTag: UInt64
    package var position: LogPosition
    package var bodyLength: Int
    package var sequence: UInt64
    package var durableThrough: LogPosition?
    package var bodyChecksum: UInt32
    package var operationCount: Int
    package var chain: UInt32

    /// Header, body and padding.
    package var frameLength: Int { Self.frameLength(body: bodyLength) }

    package static func frameLength(body: Int) -> Int { size + (body + 7) & ~7 }

    /// Writes the header to the first 64 bytes at `target`; returns the header checksum, which the next frame chains.
    package func write(to target: UnsafeMutableRawPointer) -> UInt32 {
        unsafe target.storeLittle(FormatVersion.frameMagic, at: 0)
        unsafe target.storeLittle(kind.rawValue, at: 4)
        unsafe target.storeLittle(storeTag, at: 8)
        unsafe target.storeLittle(position.file.value, at: 16)
        unsafe target.storeLittle(UInt32(bodyLength), at: 20)
        unsafe target.storeLittle(position.offset, at: 24)
        unsafe target.storeLittle(sequence, at: 32)
        unsafe target.storeLittle(durableThrough?.word ?? 0, at: 40)
        unsafe target.storeLittle(bodyChecksum, at: 48)
        unsafe target.storeLittle(UInt32(operationCount), at: 52)
        unsafe target.storeLittle(chain, at: 56)
        let sum = unsafe CRC32C.checksum(UnsafeRawBufferPointer(start: target, count: 60))
        unsafe target.storeLittle(sum, at: 60)
        return sum
    }

    /// Reads a header from 64 bytes that claim to be at `position`; nil for what is no whole header of this store at
    /// this very place. The chain is the caller's to compare.
    package static func read(
        _ bytes: UnsafeRawBufferPointer, at position: LogPosition, storeTag: UInt64
    ) -> (header: FrameHeader, checksum: UInt32)? {
        guard bytes.count >= size, let base = bytes.baseAddress,
            unsafe base.little(0, as: UInt32.self) == FormatVersion.frameMagic
        else { return nil }
        let stored = unsafe base.little(60, as: UInt32.self)
        let sum = unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<60]))
        guard stored == sum, let kind = unsafe Kind(rawValue: base.little(4, as: UInt32.self)),
            unsafe base.little(8, as: UInt64.self) == storeTag,
            unsafe base.little(16, as: UInt32.self) == position.file.value,
            unsafe base.little(24, as: UInt64.self) == position.offset
        else { return nil }
        let durable = unsafe base.little(40, as: UInt64.self)
        let header = FrameHeader(
            kind: kind, storeTag: storeTag, position: position,
            bodyLength: Int(unsafe base.little(20, as: UInt32.self)),
            sequence: unsafe base.little(32, as: UInt64.self),
            durableThrough: durable == 0 ? nil : LogPosition(word: durable),
            bodyChecksum: unsafe base.little(48, as: UInt32.self),
            operationCount: Int(unsafe base.little(52, as: UInt32.self)),
            chain: unsafe base.little(56, as: UInt32.self))
        return (header, stored)
    }
}

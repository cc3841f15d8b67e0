// Reading frames with `pread`: for recovery, verification and the tools. Nothing is believed before its checksum is
// right, and no buffer is larger than what the file holds.
internal import OfflineBytes

/// What stands at a place where a frame could begin.
package enum FrameReading: Equatable {
    /// A whole frame; `checksum` is its header's, which the next one chains.
    case frame(FrameHeader, checksum: UInt32, body: [UInt8])
    /// No frame: the end of what was written, or damage; which of both is for the caller to find out.
    case none(reason: String)
}

/// Reads the frames of one file.
package struct FrameReader {
    package let file: any File
    package let number: FileNumber
    package let storeTag: UInt64
    /// Why there is no frame where the file ends or still has the zeros that it was made with.
    package static let untouched = "nothing was written here"
    /// Bytes of the file when it was opened.
    package let size: UInt64

    package init(file: any File, number: FileNumber, storeTag: UInt64) throws(FileSystemError) {
        self.file = file
        self.number = number
        self.storeTag = storeTag
        size = try file.size()
    }

    /// The frame at `offset`. With a `chain`, only one that was written after exactly the frame before.
    package func frame(
        at offset: UInt64, chain: UInt32? = nil
    ) throws(FileSystemError) -> FrameReading {
        let head = try file.readArray(count: FrameHeader.size, at: offset)
        if head.allSatisfy({ $0 == 0 }) { return .none(reason: Self.untouched) }
        guard head.count == FrameHeader.size else { return .none(reason: "the file ends here") }
        let position = LogPosition(file: number, offset: offset)
        let read = unsafe head.withUnsafeBytes {
            unsafe FrameHeader.read($0, at: position, storeTag: storeTag)
        }
        guard let (header, checksum) = read else {
            return .none(reason: "the bytes here are no frame header of this file")
        }
        if let chain, header.chain != chain {
            return .none(reason: "the frame doesn't chain to the one before")
        }
        let body = try file.readArray(
            count: header.bodyLength, at: offset + UInt64(FrameHeader.size))
        guard body.count == header.bodyLength else {
            return .none(reason: "the frame's body is cut off")
        }
        guard CRC32C.checksum(body) == header.bodyChecksum else {
            return .none(reason: "the checksum of the frame's body doesn't match")
        }
        return .frame(header, checksum: checksum, body: body)
    }

    /// The first valid frame header after `offset` that satisfies `condition`, whatever stands between: how a tail of a
    /// power cut is told from damage.
    package func findHeader(
        from offset: UInt64, where condition: (FrameHeader) -> Bool
    ) throws(FileSystemError) -> FrameHeader? {
        let chunkSize = 1 << 20
        var start = (offset + 7) & ~7
        while start < size {
            // Overlapping by a header, so that none is cut by a chunk's end.
            let chunk = try file.readArray(count: chunkSize + FrameHeader.size, at: start)
            if let found = unsafe chunk.withUnsafeBytes({ bytes -> FrameHeader? in
                unsafe scan(bytes, at: start, limit: chunkSize, condition)
            }) {
                return found
            }
            start += UInt64(chunkSize)
        }
        return nil
    }

    private func scan(
        _ bytes: UnsafeRawBufferPointer, at start: UInt64, limit: Int,
        _ condition: (FrameHeader) -> Bool
    ) -> FrameHeader? {
        guard let base = bytes.baseAddress else { return nil }
        var offset = 0
        while offset < limit, offset + FrameHeader.size <= bytes.count {
            if unsafe base.little(offset, as: UInt32.self) == FormatVersion.frameMagic,
                let (header, _) = unsafe FrameHeader.read(
                    UnsafeRawBufferPointer(rebasing: bytes[offset...]),
                    at: LogPosition(file: number, offset: start + UInt64(offset)),
                    storeTag: storeTag), condition(header)
            {
                return header
            }
            offset += 8
        }
        return nil
    }
}

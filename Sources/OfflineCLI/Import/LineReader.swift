// Lines of a file or a pipe, one after another, in bounded memory.

internal import OfflineDocuments

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Reads lines.
struct LineReader {
    /// A line of the input, without its line feed.
    enum Line: Equatable {
        case text([UInt8])
        /// Over `lineBytesMax`; what it says is not kept.
        case tooLong
    }

    /// Longer than any record can be in JSON: 16 MiB, each byte written as an escape of six.
    static let lineBytesMax = 128 << 20
    private static let chunkBytes = 256 << 10

    /// The line that `next` returned last, counting from 1.
    private(set) var number = 0
    /// Bytes taken in so far.
    private(set) var bytesRead = 0
    private let lineBytesMax: Int
    /// The next chunk; empty at the end.
    private let readChunk: () throws -> [UInt8]
    private var chunk: [UInt8] = []
    private var position = 0

    /// Lines of what `readChunk` gives; `lineBytesMax` is lower in tests only.
    init(lineBytesMax: Int = Self.lineBytesMax, readChunk: @escaping () throws -> [UInt8]) {
        self.lineBytesMax = lineBytesMax
        self.readChunk = readChunk
    }

    /// Lines of an open descriptor, which stays the caller's.
    init(descriptor: Int32) {
        self.init { try Self.read(descriptor) }
    }

    /// The next line; nil at the end.
    mutating func next() throws -> Line? {
        var line: [UInt8] = []
        var isTooLong = false
        var hasBegun = false
        while true {
            if position == chunk.count {
                chunk = try readChunk()
                position = 0
                bytesRead += chunk.count
                guard !chunk.isEmpty else {
                    return hasBegun ? take(line, isTooLong) : nil
                }
            }
            hasBegun = true
            let rest = chunk[position...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let part = rest[..<(end ?? chunk.count)]
            if line.count + part.count > lineBytesMax {
                isTooLong = true
                line = []
            } else if !isTooLong {
                line += part
            }
            position = end.map { $0 + 1 } ?? chunk.count
            if end != nil { return take(line, isTooLong) }
        }
    }

    private mutating func take(_ line: [UInt8], _ isTooLong: Bool) -> Line {
        number += 1
        if isTooLong { return .tooLong }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return .text(number == 1 && line.starts(with: mark) ? Array(line.dropFirst(3)) : line)
    }

    private static func read(_ descriptor: Int32) throws -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, count in
                let done = unsafe systemRead(descriptor, buffer.baseAddress, buffer.count)
                failure = done < 0 ? errno : 0
                count = max(0, done)
            }
            if failure == 0 { return chunk }
            guard failure == EINTR else {
                throw OfflineError(
                    .storageUnavailable, "the input can't be read (error \(failure))")
            }
        }
    }

    private static func systemRead(
        _ descriptor: Int32, _ base: UnsafeMutablePointer<UInt8>?, _ count: Int
    ) -> Int {
        #if canImport(Glibc)
            unsafe Glibc.read(descriptor, base, count)
        #else
            unsafe Darwin.read(descriptor, base, count)
        #endif
    }
}

// zlib's raw deflate over whole buffers, and the streams that do it.
//
// A deflating stream is 268 KB that zlib allocates and clears, far more work than a small record, so streams are kept and
// reset between uses. Invariants:
// - A stream is used by one caller at a time: it leaves its pool for the call.
// - Nothing is written outside the output that the caller gave, whatever the input.
internal import COfflineZlib
internal import OfflineBytes

/// Raw deflate (RFC 1951, no header, no checksum: the log has its own).
package enum Deflate {
    /// What is deflated, and so how.
    package enum Use: Sendable {
        /// A long record, in a commit: at zlib's fastest level. Level 6 would save a few percent more, for two to three times the
        /// time.
        case commit
        /// A short one with a dictionary: at level 6, which is as fast there, and with deflate's fixed codes. Measured, codes of the
        /// record's own save 1 % more, and inflating then takes half as long again.
        case block

        var level: Int32 { self == .commit ? 1 : 6 }
        var strategy: Int32 { self == .commit ? Z_DEFAULT_STRATEGY : Z_FIXED }
    }

    /// Deflates `bytes` into `output`; how many bytes it took, or nil where they don't fit or memory is refused.
    package static func deflate(
        _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
        dictionary: UnsafeRawBufferPointer?, for use: Use
    ) -> Int? {
        let pool = use == .commit ? forCommits : forBlocks
        guard let stream = pool.take(or: { DeflateStream(use) }) else { return nil }
        defer { pool.give(stream) }
        return unsafe stream.deflate(bytes, into: output, dictionary)
    }

    /// Inflates `bytes`, all of them, into `output`, all of it.
    package static func inflate(
        _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
        dictionary: UnsafeRawBufferPointer?
    ) throws(InflateError) {
        guard let stream = inflating.take(or: { DeflateStream(nil) }) else {
            throw .outOfMemory
        }
        defer { inflating.give(stream) }
        try unsafe stream.inflate(bytes, into: output, dictionary)
    }

    private static let forCommits = StreamPool()
    private static let forBlocks = StreamPool()
    private static let inflating = StreamPool()
}

/// Why bytes couldn't be inflated.
package enum InflateError: Error, Equatable {
    /// Not deflate, cut off, with bytes left over, or of another length than it must have.
    case damaged
    case outOfMemory
}

/// Streams that nobody uses at the moment.
private final class StreamPool: Sendable {
    /// More than these at a time are made and dropped again: as many as threads do this at once, as a rule.
    private static let idleMax = 8
    private let idle = Protected<[DeflateStream]>([])

    func take(or make: () -> DeflateStream?) -> DeflateStream? {
        idle.withLock { $0.popLast() } ?? make()
    }

    func give(_ stream: DeflateStream) {
        idle.withLock { if $0.count < Self.idleMax { $0.append(stream) } }
    }
}

/// One of zlib's streams, for one direction.
@safe
private final class DeflateStream: @unchecked Sendable {
    // @unchecked: only its pool passes it on, to one user at a time.
    private let stream: UnsafeMutablePointer<z_stream>
    private let isDeflating: Bool

    /// Negative: raw. A window of 32 KiB, deflate's largest.
    private static let windowBits: Int32 = -15
    /// zlib's default.
    private static let memoryLevel: Int32 = 8

    /// A stream that deflates; without a use, one that inflates.
    init?(_ use: Deflate.Use?) {
        isDeflating = use != nil
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let status =
            if let use {
                unsafe deflateInit2_(
                    stream, use.level, Z_DEFLATED, Self.windowBits, Self.memoryLevel,
                    use.strategy, ZLIB_VERSION, size)
            } else {
                unsafe inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, size)
            }
        guard status == Z_OK else { return nil }
    }

    deinit {
        _ = isDeflating ? unsafe deflateEnd(stream) : unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func deflate(
        _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
        _ dictionary: UnsafeRawBufferPointer?
    ) -> Int? {
        guard unsafe deflateReset(stream) == Z_OK, unsafe set(bytes, output) else { return nil }
        if let dictionary = unsafe dictionary, dictionary.count > 0 {
            let (base, count) = unsafe Self.input(dictionary)
            guard unsafe deflateSetDictionary(stream, base, count) == Z_OK else { return nil }
        }
        guard unsafe COfflineZlib.deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
        return unsafe output.count - Int(stream.pointee.avail_out)
    }

    func inflate(
        _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
        _ dictionary: UnsafeRawBufferPointer?
    ) throws(InflateError) {
        guard unsafe inflateReset(stream) == Z_OK, unsafe set(bytes, output) else {
            throw .damaged
        }
        if let dictionary = unsafe dictionary, dictionary.count > 0 {
            let (base, count) = unsafe Self.input(dictionary)
            let status = unsafe inflateSetDictionary(stream, base, count)
            guard status == Z_OK else { throw status == Z_MEM_ERROR ? .outOfMemory : .damaged }
        }
        let status = unsafe COfflineZlib.inflate(stream, Z_FINISH)
        if status == Z_MEM_ERROR { throw .outOfMemory }
        guard status == Z_STREAM_END, unsafe stream.pointee.avail_in == 0,
            unsafe stream.pointee.avail_out == 0
        else { throw .damaged }
    }

    /// Points the stream to its input and output; false where zlib's 32-bit counts can't say how long they are.
    private func set(
        _ bytes: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard bytes.count <= Int32.max, output.count <= Int32.max else { return false }
        let (base, count) = unsafe Self.input(bytes)
        unsafe stream.pointee.next_in = base
        unsafe stream.pointee.avail_in = count
        unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(output.count)
        return true
    }

    /// As zlib takes it: it doesn't write to its input.
    private static func input(
        _ bytes: UnsafeRawBufferPointer
    ) -> (base: UnsafeMutablePointer<UInt8>?, count: UInt32) {
        unsafe (
            UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(
                to: UInt8.self), UInt32(truncatingIfNeeded: bytes.count)
        )
    }
}

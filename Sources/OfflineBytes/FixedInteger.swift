// Unaligned loads and stores of fixed-size integers. Everything on disk is little-endian, but for keys, which are
// big-endian so that memcmp orders them.

extension UnsafeRawPointer {
    /// A little-endian integer at byte `offset`, aligned or not. The caller has checked the bounds.
    @inline(always)
    package func little<T: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: T.Type = T.self
    ) -> T {
        unsafe T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// A big-endian integer at byte `offset`, aligned or not. The caller has checked the bounds.
    @inline(always)
    package func big<T: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: T.Type = T.self
    ) -> T {
        unsafe T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

extension UnsafeMutableRawPointer {
    /// A little-endian integer at byte `offset`, aligned or not. The caller has checked the bounds.
    @inline(always)
    package func little<T: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: T.Type = T.self
    ) -> T {
        unsafe T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// Stores a little-endian integer at byte `offset`, aligned or not. The caller has checked the bounds.
    @inline(always)
    package func storeLittle<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        unsafe storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
}

extension [UInt8] {
    /// Appends a little-endian integer.
    @inline(always)
    package mutating func appendLittle<T: FixedWidthInteger>(_ value: T) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends a big-endian integer.
    @inline(always)
    package mutating func appendBig<T: FixedWidthInteger>(_ value: T) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Overwrites the bytes at `offset` with a little-endian integer that was appended earlier.
    @inline(always)
    package mutating func patchLittle<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        precondition(
            offset >= 0 && offset + MemoryLayout<T>.size <= count, "patch outside the buffer")
        unsafe withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
    }
}

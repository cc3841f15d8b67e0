// An array's bytes in place, with typed throws (Array's own `withUnsafeBytes` rethrows any error).

extension [UInt8] {
    /// Calls `body` with the array's bytes, which are valid during the call only.
    @inline(always)
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = unsafe span.bytes
        return try unsafe bytes.withUnsafeBytes { buffer throws(Failure) in
            try unsafe body(buffer)
        }
    }
}

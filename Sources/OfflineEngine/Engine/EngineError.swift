// The engine's one error. The facade turns it into `OfflineError` in one place; nothing else crosses that border.

/// What went wrong below the facade, where, and what to do.
package struct EngineError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// Bytes on disk that aren't what they must be.
        case corrupted
        /// A format version or feature flag that this code doesn't know.
        case unsupportedFormat
        /// Another process, or another engine in this one, writes the store.
        case locked
        /// ENOSPC, EDQUOT, EFBIG.
        case storageFull
        /// The store's own size limit.
        case quotaExceeded
        /// The system refuses memory.
        case outOfMemory
        case permissionDenied
        /// No such path, an I/O error, a path that isn't what it should be.
        case unavailable
        /// A write on a read-only engine, or on one that went read-only after an I/O error.
        case readOnly
        /// The disk failed while the commit waited: it may or may not be there after reopening.
        case outcomeUnknown
        case closed
        /// A limit of the format was exceeded by the caller.
        case limit
    }

    package var code: Code
    package var message: String
    /// The file's name (not its folder), where one is to blame.
    package var file: String?
    /// Byte offset in `file`.
    package var offset: UInt64?

    package init(_ code: Code, _ message: String, file: String? = nil, offset: UInt64? = nil) {
        self.code = code
        self.message = message
        self.file = file
        self.offset = offset
    }

    /// There is no room: on the device, under the store's limit, or in memory. Nothing was changed.
    var isLackOfRoom: Bool {
        code == .storageFull || code == .quotaExceeded || code == .outOfMemory
    }

    /// Damaged bytes at a place.
    package static func corrupted(_ message: String, file: String, offset: UInt64) -> EngineError {
        EngineError(.corrupted, message, file: file, offset: offset)
    }

    package var description: String {
        var place = ""
        if let file { place += " in \(file)" }
        if let offset { place += " at offset \(offset)" }
        return message + place
    }
}

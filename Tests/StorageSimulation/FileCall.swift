// One call of a file system as traces, faults and counters see it.
package import OfflineEngine

/// A call: what was asked, and how it ended.
package struct FileCall: Sendable, CustomStringConvertible {
    /// Counts all calls of one file system from 1.
    package var index = 0
    package let operation: FileSystemError.Operation
    package let path: String
    /// The new name of a rename.
    package var target: String?
    /// Where a read or write begins; the new size of a truncation.
    package var offset: UInt64?
    /// Bytes of a read, write or map.
    package var length: Int?
    /// The errno it threw.
    package var failure: Int32?

    init(
        _ operation: FileSystemError.Operation, _ path: String, target: String? = nil,
        offset: UInt64? = nil, length: Int? = nil
    ) {
        self.operation = operation
        self.path = path
        self.target = target
        self.offset = offset
        self.length = length
    }

    func error(_ number: Int32) -> FileSystemError { FileSystemError(operation, path, number) }

    package var description: String {
        var text = "\(index) \(operation.rawValue) \(path)"
        if let target { text += " to \(target)" }
        if let offset { text += " @\(offset)" }
        if let length { text += " +\(length)" }
        if let failure { text += ": \(SystemErrorNumber.text(failure))" }
        return text
    }
}

/// The last calls, for a failure message.
package struct OperationTrace: Sendable, CustomStringConvertible {
    /// How many calls are kept at least; twice as many at most.
    private static let kept = 512
    package private(set) var calls: [FileCall] = []

    mutating func append(_ call: FileCall) {
        if calls.count >= 2 * Self.kept { calls.removeFirst(Self.kept) }
        calls.append(call)
    }

    /// The last `count` calls, one a line.
    package func last(_ count: Int) -> String {
        calls.suffix(count).map(\.description).joined(separator: "\n")
    }

    package var description: String { last(40) }
}

extension FileSystemError.Operation {
    /// Whether it can change what is stored, or what of it is durable. (`lock` may create its file.)
    package var isMutating: Bool {
        switch self {
        case .create, .write, .sync, .truncate, .remove, .rename, .createDirectory, .syncDirectory,
            .lock:
            true
        case .open, .read, .map, .list, .information, .space: false
        }
    }
}

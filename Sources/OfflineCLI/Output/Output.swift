// Where commands write. Everything goes through here, so that a closed pipe is handled once, colours are decided once, and
// tests see what a user sees.
internal import OfflineBytes

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Nobody reads the output any more. Not an error: the command ends quietly.
struct OutputClosed: Error {}

/// The output couldn't be written.
struct OutputError: Error, CustomStringConvertible {
    let description: String
}

/// A command's standard output or standard error, buffered by lines.
final class Output: Sendable {
    /// What the running command prints.
    @TaskLocal static var standard = Output(descriptor: 1)
    /// What it says beside that: complaints, progress.
    @TaskLocal static var diagnostics = Output(descriptor: 2)

    /// Whether a person watches: progress is shown.
    let isTerminal: Bool
    /// Whether colours are.
    let hasColors: Bool
    private let write: @Sendable ([UInt8]) throws -> Void
    private let buffer = Protected<[UInt8]>([])
    private static let bufferBytes = 32 << 10

    /// One of the process's descriptors.
    init(descriptor: Int32) {
        isTerminal = isatty(descriptor) == 1
        hasColors = isTerminal && Self.environmentAllowsColors
        write = { try Self.writeAll($0, to: descriptor) }
    }

    /// Hands what is written to `sink`; for tests.
    init(
        isTerminal: Bool = false, hasColors: Bool = false,
        sink: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.isTerminal = isTerminal
        self.hasColors = hasColors
        write = sink
    }

    func line(_ text: String = "") throws { try add(text + "\n") }

    /// Text as it is. Throws `OutputClosed` or `OutputError`.
    func add(_ text: String) throws {
        let full = buffer.withLock { buffer -> [UInt8]? in
            buffer.append(contentsOf: text.utf8)
            guard buffer.count >= Self.bufferBytes else { return nil }
            defer { buffer.removeAll(keepingCapacity: true) }
            return buffer
        }
        if let full { try write(full) }
    }

    /// Writes what is buffered.
    func flush() throws {
        let rest = buffer.withLock { buffer in
            defer { buffer.removeAll(keepingCapacity: true) }
            return buffer
        }
        if !rest.isEmpty { try write(rest) }
    }

    private static var environmentAllowsColors: Bool {
        func value(_ name: String) -> String {
            guard let text = unsafe getenv(name) else { return "" }
            return unsafe String(cString: text)
        }
        return value("NO_COLOR").isEmpty && value("TERM") != "dumb"
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe systemWrite(
                    descriptor, UnsafeRawBufferPointer(rebasing: buffer[done...]))
            }
            if count >= 0 {
                done += count
            } else if errno == EPIPE {
                throw OutputClosed()
            } else if errno != EINTR {
                throw OutputError(description: "the output can't be written (error \(errno))")
            }
        }
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            unsafe Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}

// A file of zeros that is given up where the device is full, so that what frees space in the end still has some: deletes,
// checkpoints and compaction. It is made again once there is room.
//
// Nothing is ever read from it, and neither its name nor its bytes need be durable.
internal import OfflineBytes

/// The RESERVE file of an open store.
final class DiskReserve: Sendable {
    private enum State {
        case missing
        case there
        /// Somebody needs the room: nothing may be made in it beforehand.
        case givenUp
    }

    private let system: any FileSystem
    private let path: String
    private let state = Protected(State.missing)

    init(_ system: any FileSystem, folder: String) {
        self.system = system
        path = system.path(folder, FileNames.reserve)
    }

    static let bytesMax = 1 << 20
    private static let chunkBytes = 64 << 10

    /// It was given up, and there was no room since to make it again.
    var isGivenUp: Bool { state.withLock { $0 == .givenUp } }

    /// Looks whether an earlier opening left it.
    func find() {
        let found = (try? system.information(path)) ?? nil
        state.withLock { $0 = found == nil ? .missing : .there }
    }

    /// Makes the file, of about `size` bytes, where it is missing. That there is no room is no error.
    func make(_ size: Int) {
        state.withLock { state in
            if state == .there { return }
            guard let file = try? system.open(path, .create) else { return }
            defer { file.close() }
            do throws(FileSystemError) {
                let chunk = [UInt8](repeating: 0, count: min(size, Self.chunkBytes))
                for offset in stride(from: 0, to: size, by: chunk.count) {
                    try file.write(chunk, at: UInt64(offset))
                }
                state = .there
            } catch {
                try? system.remove(path)
            }
        }
    }

    /// Gives the file up; false if it isn't there.
    func release() -> Bool {
        state.withLock { state in
            guard state == .there else { return false }
            state = .givenUp
            do throws(FileSystemError) { try system.remove(path) } catch { return false }
            return true
        }
    }

    /// Runs `body`, and where there is no room for it once more with what was kept back.
    func use<Result>(
        _ body: () throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        do throws(EngineError) { return try body() } catch {
            guard error.isLackOfRoom, error.code != .outOfMemory, release() else { throw error }
            return try body()
        }
    }
}

// How much the files of a store take, and may take. Every byte that grows a file passes here before it is written, so the
// limit holds at every moment, for whatever file, be it of a commit, a checkpoint, a compaction or of an index's build.
//
// The limit has a part that is kept back. What only adds data stops short of it; deletes, checkpoints and compaction, which
// free space in the end, may use it. Nodes in memory count as what the next checkpoint will write.
internal import OfflineBytes

/// The bytes of one store's files.
package final class SpaceMeter: Sendable {
    private struct State {
        var sizes: [String: Int64] = [:]
        var used: Int64 = 0
        var limit: Int64
    }

    private let state: Protected<State>
    /// The user's limit; nil: none.
    package let limit: Int64?
    /// Bytes that are kept back.
    package let reserveBytes: Int64

    init(limit: Int64?) {
        self.limit = limit
        reserveBytes = limit.map { max($0 / 8, Self.reserveBytesMin) } ?? 0
        state = Protected(State(limit: limit ?? .max))
    }

    /// A log file for deletes, one for what compaction copies, and a checkpoint of both.
    private static let reserveBytesMin: Int64 = 128 << 10

    /// The sizes of all files now.
    package var used: Int64 { state.withLock { $0.used } }

    /// What data may still take, `pending` bytes that aren't in files yet being counted; `Int64.max` without a limit. Below 0
    /// where even that is in use.
    func room(pending: Int) -> Int64 {
        guard let limit else { return .max }
        return limit - reserveBytes - used - Int64(pending)
    }

    /// What anything may still take; `Int64.max` without a limit.
    var roomWithReserve: Int64 { state.withLock { $0.limit == .max ? .max : $0.limit - $0.used } }

    /// A file that is there already. A store that is larger than its limit can still be made smaller.
    func add(_ path: String, size: UInt64) {
        state.withLock { state in
            let size = Int64(clamping: size)
            state.used += size - (state.sizes[path] ?? 0)
            state.sizes[path] = size
            guard let limit else { return }
            state.limit = state.used > limit ? state.used + reserveBytes : limit
        }
    }

    /// Counts a file as at least so long; throws, and counts nothing, where that is over the limit.
    func grow(_ path: String, to end: UInt64) throws(FileSystemError) {
        try state.withLock { state throws(FileSystemError) in
            let known = state.sizes[path] ?? 0
            let wanted = Int64(clamping: end)
            guard wanted > known else { return }
            guard wanted - known <= state.limit - state.used else {
                throw FileSystemError(.write, path, SystemErrorNumber.ownLimit)
            }
            state.sizes[path] = wanted
            state.used += wanted - known
        }
    }

    /// Counts a file as so long; it has been cut or was just made.
    func set(_ path: String, size: UInt64) {
        state.withLock { state in
            let size = Int64(clamping: size)
            state.used += size - (state.sizes[path] ?? 0)
            state.sizes[path] = size
        }
    }

    func remove(_ path: String) {
        state.withLock { $0.used -= $0.sizes.removeValue(forKey: path) ?? 0 }
    }

    func rename(_ source: String, to target: String) {
        state.withLock { state in
            state.used -= state.sizes.removeValue(forKey: target) ?? 0
            if let size = state.sizes.removeValue(forKey: source) { state.sizes[target] = size }
        }
    }
}

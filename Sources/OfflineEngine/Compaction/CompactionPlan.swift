// Which files compaction gives back, and when it has to.
//
// What a file takes is its size on the disk, not what is written in it, but for the active log file, whose rest is still
// to be written. What is alive in log files is known to the byte; in node segments what is known is never less than what is
// alive.

/// The use of a store's files at one moment.
struct CompactionPlan {
    struct Candidate: Equatable {
        var number: FileNumber
        var size: Int64
        var live: Int64
        var dead: Int64 { max(0, size - live) }
    }

    /// Files that don't change any more.
    private(set) var candidates: [Candidate] = []
    /// Bytes of all files, and what is alive in them.
    private(set) var total: Int64 = 0
    private(set) var live: Int64 = 0
    /// The size limit is near.
    let isTight: Bool
    /// Bytes that copies may take.
    let copyRoom: Int64

    /// Small stores may be a few files large before anything is done.
    static let slackBytes: Int64 = 96 << 10

    init(_ state: StoreState, _ files: OpenFiles) {
        isTight = files.isTight
        var nodeBytes: Int64 = 0
        for (number, usage) in state.files {
            let written = Int64(clamping: usage.length)
            let isActive =
                usage.kind == .log && !usage.isStaged && number >= state.position.file
            let size = isActive ? written : max(written, Int64(files.file(number)?.length ?? 0))
            let alive = min(max(0, usage.live.total), size)
            total += size
            live += alive
            if usage.kind == .tree { nodeBytes += alive }
            if !isActive { candidates.append(Candidate(number: number, size: size, live: alive)) }
        }
        // What is copied is there twice until the checkpoint after it, which may have to write all nodes.
        let device = (try? files.system.availableBytes(files.folder)) ?? .max
        let room = min(files.meter?.roomWithReserve ?? .max, Int64(clamping: device))
        copyRoom = max(0, room - nodeBytes) / 2
    }

    /// Nearly half as much is dead as is alive, or, near the size limit, more than a sixteenth. (With what is copied, and
    /// what is written meanwhile, the files then stay within twice of what is alive.)
    var isDue: Bool {
        isTight
            ? total - live > live / 16 + Self.slackBytes / 4
            : total - live > live / 16 * 7 + Self.slackBytes
    }

    /// Far more is dead than compaction is meant to leave: whoever writes should wait for it.
    var isBehind: Bool { isTight || total - live > live / 8 * 5 + Self.slackBytes }

    /// What may stay dead where it was due.
    private var restMax: Int64 { isTight ? live / 32 : live / 4 }

    /// What compacting as much as possible would give back.
    var reclaimable: Int64 { candidates.reduce(0) { $0 + $1.dead } }

    /// The emptiest files, so many that little stays dead, as far as copying `copyMax` bytes gets; one at least, if there is
    /// room for its copy.
    func emptiest(copyMax: Int64) -> FileSelection {
        let sorted = candidates.sorted { a, b in
            // Dead shares, compared without division.
            let (left, right) = (Double(a.dead) * Double(b.size), Double(b.dead) * Double(a.size))
            return left == right ? a.number < b.number : left > right
        }
        var chosen: [FileNumber] = []
        var copied: Int64 = 0
        var dead = total - live
        for candidate in sorted where candidate.dead > candidate.size / 16 {
            guard dead > restMax else { break }
            guard isCopied(candidate, copied, copyMax, isFirst: chosen.isEmpty) else { continue }
            chosen.append(candidate.number)
            copied += candidate.live
            dead -= candidate.dead
        }
        return FileSelection(chosen)
    }

    private func isCopied(
        _ candidate: Candidate, _ copied: Int64, _ copyMax: Int64, isFirst: Bool
    ) -> Bool {
        let sum = copied + candidate.live
        return sum <= copyRoom && (isFirst || sum <= copyMax)
    }

    /// Of `numbers`, those that are still there, as many as copying `copyMax` bytes gets, the emptiest first.
    func emptiest(of numbers: Set<FileNumber>, copyMax: Int64) -> FileSelection {
        var chosen: [FileNumber] = []
        var copied: Int64 = 0
        for candidate in candidates.sorted(by: { ($0.live, $0.number) < ($1.live, $1.number) })
        where numbers.contains(candidate.number) {
            guard isCopied(candidate, copied, copyMax, isFirst: chosen.isEmpty) else { break }
            chosen.append(candidate.number)
            copied += candidate.live
        }
        return FileSelection(chosen)
    }
}

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

    /// Small stores may be a few files large before anything is done.
    static let slackBytes: Int64 = 96 << 10

    init(_ state: StoreState, _ files: OpenFiles) {
        for (number, usage) in state.files {
            let written = Int64(clamping: usage.length)
            let isActive =
                usage.kind == .log && !usage.isStaged && number >= state.position.file
            let size = isActive ? written : max(written, Int64(files.file(number)?.length ?? 0))
            let alive = min(max(0, usage.live.total), size)
            total += size
            live += alive
            if !isActive { candidates.append(Candidate(number: number, size: size, live: alive)) }
        }
    }

    /// More than half of what is alive is dead.
    var isDue: Bool { total - live > live / 2 + Self.slackBytes }

    /// Far more is dead than compaction is meant to leave: whoever writes should wait for it.
    var isBehind: Bool { total - live > live / 4 * 3 + Self.slackBytes }

    /// What compacting as much as possible would give back.
    var reclaimable: Int64 { candidates.reduce(0) { $0 + $1.dead } }

    /// The emptiest files, so many that an eighth of what is alive is all that stays dead, as far as copying
    /// `copyMax` bytes gets. The first is taken in any case.
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
            guard dead > live / 8, chosen.isEmpty || copied + candidate.live <= copyMax else {
                break
            }
            chosen.append(candidate.number)
            copied += candidate.live
            dead -= candidate.dead
        }
        return FileSelection(chosen)
    }

    /// Of `numbers`, those that are still there, as many as copying `copyMax` bytes gets, the emptiest first.
    func emptiest(of numbers: Set<FileNumber>, copyMax: Int64) -> FileSelection {
        var chosen: [FileNumber] = []
        var copied: Int64 = 0
        for candidate in candidates.sorted(by: { ($0.live, $0.number) < ($1.live, $1.number) })
        where numbers.contains(candidate.number) {
            guard chosen.isEmpty || copied + candidate.live <= copyMax else { break }
            chosen.append(candidate.number)
            copied += candidate.live
        }
        return FileSelection(chosen)
    }
}

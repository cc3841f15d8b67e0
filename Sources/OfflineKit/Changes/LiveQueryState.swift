// What a live query knows and what it has to do next; LiveQuery guards it with a lock and does it.
//
// Invariants: while a result is being read, and after it is ended, nothing else is done. `pending` has, for each record that
// matters, how it is after the last commit that was finished; never half a commit. What is known of a record counts if
// the commit isn't in the snapshot that the result was read from (`asOf`).
internal import OfflineBytes
import OfflineDocuments

/// One commit's changes in one collection, while queries are asked about them.
struct MatchPass {
    let sequences: Range<UInt64>
    let names: NameDictionary
    var scratch = PredicateScratch()
    /// What the record at hand sorts by.
    var order: [UInt8] = []
    /// The record at hand, shared by all who show it.
    var document: Document?
}

/// The state of a live query.
struct LiveQueryState {
    enum Action {
        case show(LiveQuery.Step)
        case read
        case wait
        case end
    }
    private enum Phase {
        case idle
        case reading
        case ended
    }
    private struct Pending {
        let sequences: Range<UInt64>
        /// Nil: it doesn't match.
        let entry: LiveEntry?
    }
    /// How many bytes of changes are queued before the result is read again instead.
    private static let pendingBytesMax = 1 << 20

    private var phase = Phase.idle
    /// What is known of changes isn't enough.
    private var mustRead = true
    private var reading: LiveReading?
    /// Nil: the query can't be followed record by record.
    private var matcher: LiveMatcher?
    private var result: LiveResult?
    /// The next sequence of the snapshot that `result` was read from.
    private var asOf: UInt64 = 0
    /// Changes of the commit at hand, and whether there are some that nobody knows.
    private var incoming: [[UInt8]: LiveEntry?] = [:]
    private var incomingIsUnknown = false
    /// Changes of finished commits, to be taken into the result.
    private var pending: [[UInt8]: Pending] = [:]
    /// What both hold, about.
    private var pendingBytes = 0
    /// Whether the result was compared with what was shown.
    private var isCompared = true
    private var shown: [LiveEntry]?
    private var waiting: [CheckedContinuation<Void, Never>] = []

    var isEnded: Bool { phase == .ended }

    // MARK: The consumer

    mutating func nextAction() -> Action {
        switch phase {
        case .ended: return .end
        case .reading: return .wait
        case .idle: break
        }
        // What was just read is shown, even if it is past by now: a result comes however fast commits do.
        if mustRead ? isCompared : !takePending() {
            mustRead = false
            dropPending()
            phase = .reading
            return .read
        }
        guard !isCompared, let reading, let result else { return .wait }
        isCompared = true
        let after = reading.shown(result.entries)
        if let shown, shown.elementsEqual(after, by: { $0.isSame(as: $1) }) {
            return nextAction()
        }
        defer { shown = after }
        return .show(LiveQuery.Step(before: shown ?? [], after: after))
    }

    /// Takes what is queued into the result; false: it has to be read again.
    private mutating func takePending() -> Bool {
        if pending.isEmpty { return true }
        isCompared = false
        let changes = pending.map { (key: $0.key, entry: $0.value.entry) }
        dropPending()
        return result?.apply(changes) ?? false
    }

    private mutating func dropPending() {
        pending.removeAll()
        pendingBytes = 0
    }

    /// From now on records are asked what `reading` says.
    mutating func prepare(_ reading: LiveReading, _ names: NameDictionary) {
        guard phase == .reading else { return }
        self.reading = reading
        matcher = reading.isFollowed ? reading.matcher(names) : nil
    }

    /// The result as it is in the snapshot with this next sequence.
    mutating func finishReading(
        _ result: LiveResult, asOf: UInt64
    ) -> [CheckedContinuation<Void, Never>] {
        guard phase == .reading else { return [] }
        phase = .idle
        self.result = result
        self.asOf = asOf
        pending = pending.filter { $0.value.sequences.upperBound > asOf }
        isCompared = false
        return takeWaiting()
    }

    /// Keeps the continuation until there are news; false: there are.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        switch phase {
        case .ended: return false
        case .idle where mustRead || !pending.isEmpty || !isCompared: return false
        case .idle, .reading: break
        }
        waiting.append(continuation)
        return true
    }

    private mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
        defer { waiting = [] }
        return waiting
    }

    /// Who waits; nil: it was ended before.
    mutating func end() -> [CheckedContinuation<Void, Never>]? {
        if phase == .ended { return nil }
        let waiting = takeWaiting()
        self = LiveQueryState()
        phase = .ended
        return waiting
    }

    // MARK: The hub's queue

    /// Whether a commit need not be looked at.
    private func isPast(_ sequences: Range<UInt64>) -> Bool {
        phase == .ended || mustRead || sequences.upperBound <= asOf
    }

    @unsafe
    mutating func consider(
        _ change: ChangedRecord, _ record: RecordView?, _ pass: inout MatchPass
    ) -> Bool {
        if isPast(pass.sequences) { return false }
        guard let matcher = currentMatcher(pass.names) else { return noteUnknown() }
        // What is sealed shows when it is read again.
        if reading?.collection.sealing != nil { return noteUnknown() }
        // While it is read nobody knows what is in the result.
        let isKnown = phase == .idle
        let wasShown =
            pending[change.key] != nil
            || change.existed && (!isKnown || result?.contains(change.key) != false)
        var entry: LiveEntry?
        if let record = unsafe record, unsafe matcher.matches(record, &pass.scratch) {
            unsafe matcher.order(record, change.key, into: &pass.order)
            if !isKnown || result?.reaches(pass.order) != false {
                unsafe entry = makeEntry(change.key, record, matcher, &pass)
            }
        }
        guard wasShown || entry != nil else { return false }
        let isFirst = incoming.isEmpty && !incomingIsUnknown
        incoming.updateValue(entry, forKey: change.key)
        pendingBytes += 64 + change.key.count + (entry == nil ? 0 : change.record?.count ?? 0)
        return isFirst
    }

    /// What asks records that are written with these names.
    private mutating func currentMatcher(_ names: NameDictionary) -> LiveMatcher? {
        guard let matcher, matcher.nameCount < names.count, let reading else { return matcher }
        let grown = reading.matcher(names)
        self.matcher = grown
        return grown
    }

    @unsafe
    private func makeEntry(
        _ key: [UInt8], _ record: RecordView, _ matcher: LiveMatcher, _ pass: inout MatchPass
    ) -> LiveEntry {
        let document = unsafe matcher.document(record, shared: &pass.document)
        return LiveEntry(
            order: pass.order.count == key.count ? key : pass.order, key: key,
            document: reading?.selection?.select(from: document) ?? document)
    }

    mutating func considerUnknown(_ pass: MatchPass) -> Bool {
        isPast(pass.sequences) ? false : noteUnknown()
    }

    private mutating func noteUnknown() -> Bool {
        let isFirst = incoming.isEmpty && !incomingIsUnknown
        incomingIsUnknown = true
        return isFirst
    }

    /// The commit is whole now; who is to be woken.
    mutating func finishCommit(
        _ sequences: Range<UInt64>
    ) -> [CheckedContinuation<Void, Never>] {
        let isUnknown = incomingIsUnknown
        let changes = incoming
        incomingIsUnknown = false
        incoming.removeAll(keepingCapacity: true)
        if isPast(sequences) { return [] }
        if isUnknown || pendingBytes > Self.pendingBytesMax { return readAgain() }
        for (key, entry) in changes {
            pending[key] = Pending(sequences: sequences, entry: entry)
        }
        return phase == .reading ? [] : takeWaiting()
    }

    mutating func readAgain() -> [CheckedContinuation<Void, Never>] {
        if phase == .ended { return [] }
        mustRead = true
        dropPending()
        return phase == .reading ? [] : takeWaiting()
    }
}

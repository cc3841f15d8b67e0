// Who may use which collections: transactions with a common collection run one after another,
// unless both only read it; all others run side by side.
//
// Rules, and why they hold:
// - A request enters the queues of all its collections in one critical section, so all queues have
//   the same order, that of arrival. It is admitted to a collection when nobody is before it there
//   but readers while it reads too; once it is admitted everywhere it is granted. So nobody
//   overtakes (no one starves), and since every wait is for someone who arrived earlier, no circle
//   of waits can come to be (no deadlock).
// - A request that gives up (timeout, cancellation) leaves its queues and what it was admitted to.
// - `queues`' lock guards everything, the holds' status too. It is held for a few instructions, and
//   continuations are resumed after it.
internal import OfflineBytes

/// Which collections a transaction wants, and how errors call it.
struct LockRequest: Sendable {
    /// Collections that nobody else may use meanwhile.
    let exclusive: [CollectionID]
    /// Collections that others may read meanwhile. Disjoint from `exclusive`.
    let shared: [CollectionID]
    /// What it is, for those who wait for it: "a transaction on users, orders".
    let label: @Sendable () -> String
}

/// The locks of one store's collections.
final class CollectionLocks: Sendable {
    private let queues = Protected<[CollectionID: LockQueue]>([:])
    private let deadlines: Deadlines

    init(_ deadlines: Deadlines) { self.deadlines = deadlines }

    /// Waits until all collections can be had, and has them until `release`. Throws
    /// `.transactionTimeout`, naming who holds them, after `timeout` (nil: never), and
    /// `CancellationError` when the task is cancelled while it waits.
    func acquire(_ request: LockRequest, timeout: Duration?) async throws -> LockHold {
        let hold = LockHold(request)
        let isGranted = queues.withLock { queues in
            hold.status.missing = request.exclusive.count + request.shared.count
            for id in request.exclusive {
                queues[id, default: LockQueue()].append(hold, isShared: false)
            }
            for id in request.shared {
                queues[id, default: LockQueue()].append(hold, isShared: true)
            }
            return hold.status.missing == 0
        }
        if !isGranted { try await wait(for: hold, timeout) }
        return hold
    }

    /// Has all collections until `release`, if all can be had at once; else nil.
    func acquireIfFree(_ request: LockRequest) -> LockHold? {
        let hold = LockHold(request)
        let (isGranted, granted) = queues.withLock {
            queues -> (Bool, [CheckedContinuation<Void, any Error>]) in
            hold.status.missing = request.exclusive.count + request.shared.count
            for id in request.exclusive {
                queues[id, default: LockQueue()].append(hold, isShared: false)
            }
            for id in request.shared {
                queues[id, default: LockQueue()].append(hold, isShared: true)
            }
            return hold.status.missing == 0 ? (true, []) : (false, Self.leave(hold, &queues))
        }
        for continuation in granted { continuation.resume() }
        return isGranted ? hold : nil
    }

    /// How many requests wait or are granted.
    var requestCount: Int { queues.withLock { Set($0.values.flatMap(\.holds)).count } }

    /// Lets go of the collections. Idempotent.
    func release(_ hold: LockHold) {
        let granted = queues.withLock { queues in
            guard !hold.status.isDone else { return [] as [CheckedContinuation<Void, any Error>] }
            return Self.leave(hold, &queues)
        }
        for continuation in granted { continuation.resume() }
    }

    private func wait(for hold: LockHold, _ timeout: Duration?) async throws {
        let token = timeout.map { timeout in
            deadlines.add(after: timeout) { [weak self] in
                self?.giveUp(hold) { Self.timeoutError(hold, timeout, $0) }
            }
        }
        defer { if let token { deadlines.remove(token) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = queues.withLock { _ in
                    if let failure = hold.status.failure { return .failure(failure) }
                    if hold.status.missing == 0 { return .success(()) }
                    hold.status.continuation = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            giveUp(hold) { _ in CancellationError() }
        }
    }

    /// Ends the wait, if it is still one, with the error that `reason` makes of who is in the way.
    private func giveUp(_ hold: LockHold, _ reason: (_ blocker: LockHold?) -> any Error) {
        let (continuation, failure, granted) = queues.withLock {
            queues -> (
                CheckedContinuation<Void, any Error>?, any Error,
                [CheckedContinuation<Void, any Error>]
            ) in
            guard hold.status.missing > 0, !hold.status.isDone else {
                return (nil, CancellationError(), [])
            }
            let failure = reason(Self.blocker(of: hold, queues))
            let granted = Self.leave(hold, &queues)
            hold.status.failure = failure
            return (hold.status.continuation.take(), failure, granted)
        }
        continuation?.resume(throwing: failure)
        for continuation in granted { continuation.resume() }
    }

    /// Takes a hold out of all queues; those who wait no longer because of that.
    private static func leave(
        _ hold: LockHold, _ queues: inout [CollectionID: LockQueue]
    ) -> [CheckedContinuation<Void, any Error>] {
        hold.status.isDone = true
        var granted: [CheckedContinuation<Void, any Error>] = []
        for id in hold.request.exclusive + hold.request.shared {
            guard let next = queues[id]?.remove(hold) else { continue }
            // Nobody is there yet to resume where a request was granted before its task began to
            // wait.
            granted += next.compactMap { $0.status.continuation.take() }
            if queues[id]?.isEmpty == true { queues[id] = nil }
        }
        return granted
    }

    /// Who is first in a queue in which `hold` isn't admitted.
    private static func blocker(
        of hold: LockHold, _ queues: [CollectionID: LockQueue]
    ) -> LockHold? {
        for id in hold.request.exclusive + hold.request.shared {
            if let first = queues[id]?.blocker(of: hold) { return first }
        }
        return nil
    }

    private static func timeoutError(
        _ hold: LockHold, _ timeout: Duration, _ blocker: LockHold?
    ) -> any Error {
        let holder = blocker.map { $0.request.label() } ?? "another transaction"
        return OfflineError(
            .transactionTimeout,
            "\(hold.request.label()) waited \(timeout) for \(holder), which had begun before it")
    }
}

/// One request's way through the locks: waiting, granted, and in the end released.
final class LockHold: @unchecked Sendable {
    // @unchecked: `status` is only touched by CollectionLocks, inside its lock.
    fileprivate struct Status {
        /// To how many collections it is not admitted yet.
        var missing = 0
        var continuation: CheckedContinuation<Void, any Error>?
        /// Why it was given up before it was granted.
        var failure: (any Error)?
        /// It is in no queue any more.
        var isDone = false
    }
    fileprivate let request: LockRequest
    fileprivate var status = Status()

    fileprivate init(_ request: LockRequest) { self.request = request }
}

/// One collection's queue, in order of arrival.
private struct LockQueue {
    private var entries: [(hold: LockHold, isShared: Bool)] = []
    /// The first so many entries are admitted: one that doesn't share, or any number that do.
    private var admitted = 0

    var isEmpty: Bool { entries.isEmpty }

    var holds: [ObjectIdentifier] { entries.map { ObjectIdentifier($0.hold) } }

    mutating func append(_ hold: LockHold, isShared: Bool) {
        entries.append((hold, isShared))
        _ = admit()
    }

    /// Takes an entry out; the holds that are granted by that.
    mutating func remove(_ hold: LockHold) -> [LockHold] {
        guard let index = entries.firstIndex(where: { $0.hold === hold }) else { return [] }
        entries.remove(at: index)
        if index < admitted { admitted -= 1 }
        return admit()
    }

    func blocker(of hold: LockHold) -> LockHold? {
        let isAdmitted = entries.prefix(admitted).contains { $0.hold === hold }
        return isAdmitted ? nil : entries.first?.hold
    }

    /// Admits whoever is next; the holds that have all their collections now.
    private mutating func admit() -> [LockHold] {
        var granted: [LockHold] = []
        while admitted < entries.count {
            let next = entries[admitted]
            guard admitted == 0 || next.isShared && entries[0].isShared else { break }
            admitted += 1
            next.hold.status.missing -= 1
            if next.hold.status.missing == 0 { granted.append(next.hold) }
        }
        return granted
    }
}

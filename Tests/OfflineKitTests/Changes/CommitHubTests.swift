import Dispatch
import OfflineBytes
import Testing

@testable import OfflineKit

@Suite struct CommitHubTests {
    private static let collection = CollectionID(7)
    fileprivate static let mark = DispatchSpecificKey<Bool>()

    private static func commit(_ sequences: Range<UInt64>, bytes: Int = 1) throws -> Commit {
        let state = try CollectionState(
            id: collection, schema: CollectionSchema(name: "c"), indexNumbers: [])
        let record = ChangedRecord(
            key: [], record: Array(repeating: 0, count: bytes), existed: false, number: 0)
        return Commit(
            sequences: sequences,
            collections: [
                collection: CommittedChanges(
                    names: BoundNames(.empty, of: state), records: [record])
            ])
    }

    @Test func `commits that come in any order are handed on in theirs`() async throws {
        var generator = SeededGenerator(seed: 4)
        for round in 0..<50 {
            let hub = CommitHub(next: 5)
            hub.queue.setSpecific(key: Self.mark, value: true)
            let observer = Recorder()
            #expect(hub.add(observer))
            var commits: [Commit] = []
            var next = UInt64(5)
            for _ in 0..<30 {
                let end = next + UInt64(1 + generator.below(4))
                commits.append(try Self.commit(next..<end))
                next = end
            }
            for commit in commits.shuffled(using: &generator) { hub.publish(commit) }
            await hub.settled()
            #expect(observer.heard == commits.map { .commit($0.sequences) }, "round \(round)")
            #expect(observer.wasOnQueue)
        }
    }

    @Test func `threads that publish at once lose nothing`() async throws {
        let hub = CommitHub(next: 0)
        let observer = Recorder()
        #expect(hub.add(observer))
        let commits = try (0..<800).map { try Self.commit(UInt64($0)..<UInt64($0 + 1)) }
        await withTaskGroup(of: Void.self) { group in
            for part in 0..<4 {
                group.addTask {
                    for index in stride(from: part, to: 800, by: 4) { hub.publish(commits[index]) }
                }
            }
        }
        await hub.settled()
        #expect(observer.heard == commits.map { .commit($0.sequences) })
    }

    @Test func `who registers later hears what is published from then on, until it leaves`()
        async throws
    {
        let hub = CommitHub(next: 0)
        let observer = Recorder()
        hub.publish(try Self.commit(0..<1))
        #expect(!hub.isObserved)
        // Ahead of its turn, with nobody there yet: its place in the order counts all the same.
        hub.publish(try Self.commit(2..<3))
        #expect(hub.add(observer) && hub.isObserved)
        hub.publish(try Self.commit(1..<2))
        hub.everythingChanged()
        await hub.settled()
        #expect(observer.heard == [.commit(1..<2), .commit(2..<3), .everything])
        hub.remove(observer)
        hub.publish(try Self.commit(3..<4))
        await hub.close()
        #expect(observer.heard.count == 3 && !hub.isObserved)
    }

    @Test func `closing hands on what has come, tells all, and takes nothing more`() async throws {
        let hub = CommitHub(next: 0)
        let observers = [Recorder(), Recorder()]
        for observer in observers { #expect(hub.add(observer)) }
        hub.publish(try Self.commit(0..<1))
        hub.publish(try Self.commit(5..<6))
        await hub.close()
        hub.publish(try Self.commit(1..<2))
        hub.everythingChanged()
        await hub.close()
        for observer in observers { #expect(observer.heard == [.commit(0..<1), .closed]) }
        #expect(!hub.add(Recorder()))
    }

    @Test(arguments: [
        CommitHub.Bound(early: 20), CommitHub.Bound(bytes: 2_000, early: 1_000),
    ])
    func `a commit that never comes is given up, and what comes then is handed on`(
        bound: CommitHub.Bound
    ) async throws {
        let hub = CommitHub(next: 0, bound: bound)
        let observer = Recorder()
        #expect(hub.add(observer))
        for sequence in UInt64(1)...21 {
            hub.publish(try Self.commit(sequence..<(sequence + 1), bytes: 100))
        }
        await hub.settled()
        #expect(observer.heard == [.everything])
        hub.publish(try Self.commit(22..<23))
        hub.publish(try Self.commit(0..<1))
        await hub.settled()
        #expect(observer.heard == [.everything, .commit(22..<23), .everything])
        // A backend that gives a commit no number leaves its place unknown.
        hub.publish(try Self.commit(23..<23))
        await hub.settled()
        #expect(observer.heard.count == 4 && observer.heard.last == .everything)
    }

    @Test(arguments: [CommitHub.Bound(commits: 10), CommitHub.Bound(bytes: 1_000)])
    func `an observer that is too slow hears that everything may have changed`(
        bound: CommitHub.Bound
    ) async throws {
        let hub = CommitHub(next: 0, bound: bound)
        let observer = Recorder(waits: true)
        #expect(hub.add(observer))
        hub.publish(try Self.commit(0..<1))
        observer.untilItWaits()
        for sequence in UInt64(1)..<12 {
            hub.publish(try Self.commit(sequence..<(sequence + 1), bytes: 100))
        }
        observer.goOn()
        await hub.settled()
        #expect(observer.heard.prefix(2) == [.commit(0..<1), .everything])
        hub.publish(try Self.commit(12..<13))
        await hub.settled()
        #expect(observer.heard.last == .commit(12..<13))
    }
}

/// Notes what it hears; may be held up in the first call.
private final class Recorder: CommitObserver {
    enum Heard: Equatable {
        case commit(Range<UInt64>)
        case everything
        case closed
    }
    private let list = Protected<[Heard]>([])
    private let onQueue = Protected(true)
    private let waits: Bool
    private let waiting = DispatchSemaphore(value: 0)
    private let mayGoOn = DispatchSemaphore(value: 0)

    init(waits: Bool = false) { self.waits = waits }

    var heard: [Heard] { list.withLock { $0 } }
    /// Whether it was always called where it should be.
    var wasOnQueue: Bool { onQueue.withLock { $0 } }
    func untilItWaits() { waiting.wait() }
    func goOn() { mayGoOn.signal() }

    private func note(_ heard: Heard) {
        let isThere = DispatchQueue.getSpecific(key: CommitHubTests.mark) == true
        onQueue.withLock { $0 = $0 && isThere }
        let isFirst = list.withLock { list in
            list.append(heard)
            return list.count == 1
        }
        if waits, isFirst {
            waiting.signal()
            mayGoOn.wait()
        }
    }

    func committed(_ commit: Commit) { note(.commit(commit.sequences)) }
    func everythingChanged() { note(.everything) }
    func storeClosed() { note(.closed) }
}

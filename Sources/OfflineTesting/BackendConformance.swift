// The suite that every storage backend must pass, for authors of backends: no test framework, so it
// runs under any.
//
// Each case opens fresh backends in folders of its own and throws a ConformanceFailure that says
// what was expected. A backend that passes serves the store; what the cases ask for is what
// StorageBackend's comments promise.
public import OfflineKit

/// What a backend did wrong.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// The case's name.
    public let caseName: String
    /// What was expected, and what was found.
    public let message: String
    /// Both in one line.
    public var description: String { "\(caseName): \(message)" }
}

/// The cases, over one kind of backend.
///
/// ```swift
/// let suite = BackendConformance(folder: folder) { MyBackend() }
/// let failures = await suite.run()
/// ```
public struct BackendConformance: Sendable {
    /// One case.
    public struct Case: Sendable, CustomStringConvertible {
        /// What it proves, as a sentence.
        public let name: String
        let body: @Sendable (CaseContext) async throws -> Void
        /// The name.
        public var description: String { name }

        init(_ name: String, _ body: @escaping @Sendable (CaseContext) async throws -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// All cases.
    public static var cases: [Case] {
        treeCases + snapshotCases + batchCases + sequenceCases + definitionCases + spaceCases
    }

    private let folder: String
    private let capacity: Int
    private let makeBackend: @Sendable (_ path: String) -> any StorageBackend

    /// `makeBackend` is called for every opening, also for another one of the same path: a backend
    /// that keeps its data in memory returns the same object there. `folder` exists, and is the
    /// suite's own. `capacity`: bytes that a store on the backend can have, 1 MiB at least; where
    /// it is small, the cases with large records take smaller ones.
    public init(
        folder: String, capacity: Int = .max,
        _ makeBackend: @escaping @Sendable (_ path: String) -> any StorageBackend
    ) {
        self.folder = folder
        self.capacity = capacity
        self.makeBackend = makeBackend
    }

    /// The same for the simpler contract: the cases run on what a store makes of a record backend.
    ///
    /// ```swift
    /// let failures = await BackendConformance(folder: folder, records: { _ in MyStorage() }).run()
    /// ```
    ///
    /// `acceptingPartialCommits`: as for `StorageBackendOption.custom`.
    public init(
        folder: String,
        records makeBackend: @escaping @Sendable (_ path: String) -> any RecordBackend,
        acceptingPartialCommits: Bool = false
    ) {
        self.init(folder: folder) { path in
            RecordStorage(makeBackend(path), acceptingPartialCommits: acceptingPartialCommits)
        }
    }

    /// Runs all cases, one after another; what failed.
    public func run() async -> [ConformanceFailure] {
        var failures: [ConformanceFailure] = []
        for one in Self.cases {
            do {
                try await run(one)
            } catch let failure as ConformanceFailure {
                failures.append(failure)
            } catch {
                failures.append(ConformanceFailure(caseName: one.name, message: "threw \(error)"))
            }
        }
        return failures
    }

    /// Runs one case; throws a `ConformanceFailure`, or what the backend threw.
    public func run(_ one: Case) async throws {
        let number = Self.cases.firstIndex { $0.name == one.name } ?? 0
        let context = CaseContext(
            name: one.name, path: "\(folder)/case\(number).offline", capacity: capacity,
            makeBackend: makeBackend)
        try await one.body(context)
    }
}

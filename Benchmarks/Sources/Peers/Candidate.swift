// What each store must do. One call does a slice of a workload, so that calling costs nothing beside the work.

/// When a commit is on stable storage.
enum CommitDurability: Sendable {
    /// Before it returns.
    case full
    /// When the system writes back: a power cut may lose the newest commits, a crash of the process none.
    case relaxed
}

/// Equal role, greater age, by name, the first ten: `role == X && age > Y`.
struct RoleQuery: Sendable {
    let role: String
    let olderThan: Int
}

/// A store of people under measurement. All of them keep three indexes: role, age and score.
///
/// A function that takes keys, ranges or queries answers each with a call of its own, as an application would
/// that has one question at a time, and folds the answers into a digest.
protocol Candidate: AnyObject {
    var name: String { get }
    func open(_ durability: CommitDurability) async throws
    func close() async throws

    /// All of them in one transaction.
    func insertBatch(_ people: [Person]) async throws
    /// A transaction each.
    func insertEach(_ people: [Person]) async throws
    /// All of them in one transaction.
    func deleteBatch(_ keys: [String]) async throws

    /// By key: `email` and `createdAt`, neither of them in an index.
    func readTwoFields(_ keys: [String]) async throws -> Digest
    /// By key: all fields.
    func readAll(_ keys: [String]) async throws -> Digest
    /// All fields of the first `limit` people whose score is at least the bound, in order of score.
    func readRanges(from bounds: [Double], limit: Int) async throws -> Digest
    /// How many people have a score in the range.
    func countRanges(_ ranges: [Range<Double>]) async throws -> Digest
    /// All fields of `limit` people in order of score, after as many as the offset says.
    func readPages(at offsets: [Int], limit: Int) async throws -> Digest
    /// All fields of the first ten that match, in order of name, then key.
    func readFiltered(_ queries: [RoleQuery]) async throws -> Digest
    /// How many people were created after the moment, which no index knows.
    func countScanned(createdAfter moments: [Int]) async throws -> Digest

    /// One whole document, to compare.
    func person(_ key: String) async throws -> Person?
    func count() async throws -> Int
}

/// What ends a run.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

import OfflineBytes

@testable import OfflineKit

/// A migration made of closures.
struct TestMigration: Migration {
    typealias Body = @Sendable (any StoreWriter) async throws -> Void

    let version: Int
    var name: String { "m\(version)" }
    private let upBody: Body
    private let downBody: Body

    init(_ version: Int, up: @escaping Body = { _ in }, down: @escaping Body = { _ in }) {
        self.version = version
        upBody = up
        downBody = down
    }

    func up(_ store: any StoreWriter) async throws { try await upBody(store) }
    func down(_ store: any StoreWriter) async throws { try await downBody(store) }
}

/// What progress tells, for a closer look.
final class ProgressLog: Sendable {
    private let heard = Protected<[MigrationProgress]>([])

    var all: [MigrationProgress] { heard.withLock { $0 } }

    /// What was told last of each migration, in their order.
    var last: [MigrationProgress] {
        all.reduce(into: []) { last, next in
            if last.last?.version == next.version { last.removeLast() }
            last.append(next)
        }
    }

    /// A manager that tells it.
    func manager(_ migrations: [any Migration]) -> MigrationManager {
        MigrationManager(migrations) { progress in self.heard.withLock { $0.append(progress) } }
    }
}

// Which transaction closures the current task is in, so that a write through the store itself,
// which would wait for the very transaction it is made in, is an error and not a deadlock. Tasks
// started inside a closure are inside it too, while its transaction is open.

/// A transaction closure that the current task is in.
final class OwnTransaction: Sendable {
    @TaskLocal private static var current: OwnTransaction?

    private let core: StoreCore
    private let transaction: Transaction
    /// The closure around this one, of another store.
    private let outer: OwnTransaction?

    private init(_ core: StoreCore, _ transaction: Transaction, inside outer: OwnTransaction?) {
        self.core = core
        self.transaction = transaction
        self.outer = outer
    }

    /// Runs a transaction's closure.
    static func run<Result>(
        _ transaction: Transaction, of core: StoreCore,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        let own = OwnTransaction(core, transaction, inside: current)
        return try await $current.withValue(own) { try await body(transaction) }
    }

    /// Throws `.transactionScope` in a closure of an open transaction of this store.
    static func checkNotInside(_ core: StoreCore) throws(OfflineError) {
        var inside = current
        while let own = inside {
            if own.core === core, !own.transaction.isEnded {
                throw OfflineError(
                    .transactionScope,
                    "the store was called inside its own transaction and would wait for it; "
                        + "use the transaction that the closure was given")
            }
            inside = own.outer
        }
    }
}
